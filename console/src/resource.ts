// A value that the server gives, with what is known about it meanwhile.
import { useCallback, useEffect, useRef, useState } from "preact/hooks"
import { Problem } from "./server"

export interface Resource<T> {
  value?: T
  problem?: Problem
  loading: boolean
  at?: Date // when value came
  reload: () => void
}

/** useResource asks for a value, again whenever deps change. The value before stays until the next is there. */
export function useResource<T>(load: (signal: AbortSignal) => Promise<T>, deps: unknown[]): Resource<T> {
  const [state, setState] = useState<Omit<Resource<T>, "reload">>({ loading: true })
  const [turn, setTurn] = useState(0)
  const latest = useRef(load)
  latest.current = load
  useEffect(() => {
    const abort = new AbortController()
    setState((s) => ({ ...s, loading: true }))
    latest.current(abort.signal).then(
      (value) => !abort.signal.aborted && setState({ value, loading: false, at: new Date() }),
      (cause) => !abort.signal.aborted && setState((s) => ({ ...s, loading: false, problem: asProblem(cause) })),
    )
    return () => abort.abort()
  }, [...deps, turn])
  return { ...state, reload: useCallback(() => setTurn((n) => n + 1), []) }
}

export const asProblem = (cause: unknown) => (cause instanceof Problem ? cause : new Problem("defect", 0, String(cause)))

export interface Paged<T> extends Resource<T[]> {
  more?: () => void // asks for the next page; missing at the end
}

/** usePages collects pages of a list that the server gives by cursor. */
export function usePages<T>(load: (cursor: string | undefined, signal: AbortSignal) => Promise<{ rows: T[]; next: string | null }>, deps: unknown[]): Paged<T> {
  const [later, setLater] = useState<{ rows: T[]; next: string | null }>()
  const [going, setGoing] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const first = useResource(async (signal) => {
    const page = await load(undefined, signal)
    setLater(undefined)
    setProblem(undefined)
    return page
  }, deps)
  const next = later ? later.next : first.value?.next
  const newest = useRef(first.value)
  newest.current = first.value
  const more = async () => {
    if (!next || going) return
    setGoing(true)
    const of = first.value
    try {
      const page = await load(next, new AbortController().signal)
      if (newest.current !== of) return setGoing(false) // of a list that is no longer shown
      setLater((l) => ({ rows: [...(l?.rows ?? []), ...page.rows], next: page.next }))
      setProblem(undefined)
    } catch (cause) {
      setProblem(asProblem(cause))
    }
    setGoing(false)
  }
  return {
    ...first,
    value: first.value && [...first.value.rows, ...(later?.rows ?? [])],
    problem: problem ?? first.problem,
    loading: first.loading || going,
    more: next ? () => void more() : undefined,
  }
}
