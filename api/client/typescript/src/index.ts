// A client of Kindred's HTTP API. Its types are made of the OpenAPI document (schema.d.ts, by npm run generate), so a path,
// a parameter or a member that the server does not have is an error of the compiler. What is here is a thin layer over fetch.
import type { components, paths } from "./schema.js";

/** The documents of the API by name. */
export type Documents = components["schemas"];

/** The paths of the API that have a method. */
export type PathOf<M extends Method> = { [P in keyof paths]: paths[P][M] extends object ? P : never }[keyof paths];

type Method = "get" | "post" | "delete";
type Parameters<O, In extends string> = O extends { parameters: { [I in In]?: infer P } } ? NonNullable<P> : never;
type BodyOf<O> = O extends { requestBody: { content: { "application/json": infer B } } } ? B : never;
type AnswerOf<O> = O extends { responses: { 200: { content: { "application/json": infer A } } } } ? A : undefined;

/** A parameter of the query may be given several times, where the API says so. */
type Several<Q> = { [N in keyof Q]?: Q[N] | readonly NonNullable<Q[N]>[] };

/** What a request has beside its path. */
export type Options<O> = {
  /** Values of the path, such as { id: "email:ann@example.com" }; they are escaped here. */
  path?: Parameters<O, "path">;
  query?: Several<Parameters<O, "query">>;
  body?: BodyOf<O>;
  headers?: Record<string, string>;
  signal?: AbortSignal;
};

/** An answer of 400 and above. Programs decide by code, which never changes its meaning. */
export class KindredError extends Error {
  constructor(
    readonly status: number,
    readonly code: Documents["Problem"]["code"] | undefined,
    readonly problem: Documents["Problem"] | undefined,
    /** Seconds after which to send the same again; undefined where the server does not say. */
    readonly retryAfter: number | undefined,
  ) {
    super(problem ? `${problem.detail ?? problem.title} (${problem.hint})` : `status ${status}, not from Kindred`);
    this.name = "KindredError";
  }
}

export class Kindred {
  readonly #url: string;
  readonly #key: string | undefined;
  readonly #fetch: typeof fetch;

  /** A client of the server at url, such as http://127.0.0.1:8080. Nothing is sent again by itself. */
  constructor(options: { url: string; key?: string; fetch?: typeof fetch }) {
    this.#url = options.url.replace(/\/+$/, "");
    this.#key = options.key;
    this.#fetch = options.fetch ?? fetch;
  }

  get<P extends PathOf<"get">>(path: P, options: Options<paths[P]["get"]> = {}): Promise<AnswerOf<paths[P]["get"]>> {
    return this.#json("GET", path, options);
  }

  post<P extends PathOf<"post">>(path: P, options: Options<paths[P]["post"]> = {}): Promise<AnswerOf<paths[P]["post"]>> {
    return this.#json("POST", path, options);
  }

  delete<P extends PathOf<"delete">>(path: P, options: Options<paths[P]["delete"]> = {}): Promise<AnswerOf<paths[P]["delete"]>> {
    return this.#json("DELETE", path, options);
  }

  /** Pages of a route whose answer has a member next: events, orders, traits, people. */
  async *pages<P extends PathOf<"get">>(path: P, options: Options<paths[P]["get"]> = {}): AsyncGenerator<AnswerOf<paths[P]["get"]>> {
    const query: Record<string, unknown> = { ...options.query };
    for (;;) {
      const page = await this.#json<AnswerOf<paths[P]["get"]>>("GET", path, { ...options, query });
      yield page;
      const next = (page as { next?: string | null }).next;
      if (!next) return;
      query["cursor"] = next;
    }
  }

  /** Every person, in pages that begin at once. Give the cursor of the last page that came whole to go on from there. */
  async *export(query: Several<Parameters<paths["/v1/export"]["get"], "query">> = {}): AsyncGenerator<{
    people: (Documents["Profile"] | Documents["PartialProfile"])[];
    cursor: string | null;
  }> {
    let cursor: string | null = typeof query.cursor === "string" ? query.cursor : "start";
    while (cursor !== null) {
      const answer = await this.request("GET", "/v1/export", { query: { ...query, cursor } });
      const lines = (await answer.text()).split("\n").filter((line) => line !== "");
      cursor = answer.headers.get("Kindred-Next");
      yield { people: lines.map((line) => JSON.parse(line)), cursor };
    }
  }

  /** The answer as it is, of any path; one of 400 and above is thrown as a KindredError. */
  async request(
    method: string,
    path: string,
    options: { path?: object; query?: object; body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {},
  ): Promise<Response> {
    const values = (options.path ?? {}) as Record<string, string>;
    const address = new URL(this.#url + path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? "")));
    for (const [name, value] of Object.entries(options.query ?? {})) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined && one !== null) address.searchParams.append(name, String(one));
      }
    }
    const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
    if (this.#key !== undefined) headers["Authorization"] = `Bearer ${this.#key}`;
    const init: RequestInit = { method, headers };
    if (options.body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(options.body);
    }
    if (options.signal) init.signal = options.signal;
    const answer = await this.#fetch(address, init);
    if (answer.status >= 400) throw await problemOf(answer);
    return answer;
  }

  async #json<A>(method: string, path: string, options: object): Promise<A> {
    const answer = await this.request(method, path, options);
    return (answer.status === 204 ? undefined : await answer.json()) as A;
  }
}

async function problemOf(answer: Response): Promise<KindredError> {
  const after = Number.parseInt(answer.headers.get("Retry-After") ?? "", 10);
  let problem: Documents["Problem"] | undefined;
  try {
    problem = (await answer.json()) as Documents["Problem"];
  } catch {
    // A proxy answered.
  }
  return new KindredError(answer.status, problem?.code, problem, Number.isNaN(after) ? undefined : after);
}
