// Command saytime prints the time, and how long it runs, at each line that it reads.
package main

import (
	"bufio"
	"fmt"
	"os"
	"time"
)

func main() {
	began := time.Now()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Println(time.Now().UTC().Format(time.RFC3339), time.Since(began))
	}
}
