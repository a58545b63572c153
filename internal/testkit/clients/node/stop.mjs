// Tells a program to end: the test closes standard input once everything has arrived.
export async function stop() {
  process.stdin.resume()
  await new Promise((resolve) => process.stdin.on("end", resolve))
}
