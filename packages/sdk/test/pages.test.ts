/** Lists in pages: followed to the end, and never in a circle. */
import { describe, expect, it } from "vitest"
import { DecodeError, paginate, paginateByNumber } from "../src/index.ts"
import { json, observed, rejection } from "./helpers.ts"

interface Page {
  readonly items: readonly string[]
  readonly next_page?: string
}

const repository = {
  namespace: "acme",
  description: null,
  is_public: false,
  kind: "image",
  state: null
}

const collect = async <Item>(list: AsyncIterable<Item>): Promise<Item[]> => {
  const found: Item[] = []
  for await (const item of list) found.push(item)
  return found
}

const over = (page: (token: string | undefined) => Page, maxPages?: number) =>
  paginate({
    path: "/api/v1/repository",
    page: async ({ next_page }) => page(next_page),
    items: ({ items }) => items,
    ...(maxPages === undefined ? {} : { maxPages })
  })

describe("paginate", () => {
  it("reads to the end, each item once", async () => {
    const pages = new Map<string | undefined, Page>([
      [undefined, { items: ["a", "b"], next_page: "1" }],
      ["1", { items: ["b", "c"], next_page: "2" }],
      ["2", { items: [], next_page: "3" }],
      ["3", { items: ["d"] }]
    ])
    expect(await collect(over((token) => pages.get(token) ?? { items: [] }))).toEqual(["a", "b", "c", "d"])
  })

  it("fails where a token that is not accepted answers page one with a new token", async () => {
    let count = 0
    const error = await rejection(collect(over(() => ({ items: ["a", "b"], next_page: `token-${++count}` }))))
    expect(error).toBeInstanceOf(DecodeError)
    expect(error).toMatchObject({ operation: "listRepos", message: expect.stringMatching(/pages repeat/) })
    expect(count).toBe(2)
  })

  it("fails where a token comes twice, and after too many pages", async () => {
    let count = 0
    expect(await rejection(collect(over(() => ({ items: [`${++count}`], next_page: "same" }))))).toMatchObject({
      message: expect.stringMatching(/token came twice/)
    })
    expect(
      await rejection(collect(over((token) => ({ items: [token ?? "0"], next_page: `${Number(token ?? 0) + 1}` }), 3)))
    ).toMatchObject({ message: expect.stringMatching(/more than 3 pages/) })
  })

  it.each([[7], [{}], [""], [false]])(
    "fails where the next page is named by %j, which is no end",
    async (next_page) => {
      const list = paginate({
        path: "/api/v1/repository",
        page: async () => JSON.parse(JSON.stringify({ items: ["a"], next_page })),
        items: (page: { readonly items: readonly string[]; readonly next_page?: string }) => page.items
      })
      expect(await rejection(collect(list))).toMatchObject({ _tag: "DecodeError", operation: "listRepos" })
    }
  )

  it("fails where empty pages go on and on", async () => {
    let requests = 0
    const error = await rejection(collect(over(() => ({ items: [], next_page: `${requests++}` }))))
    expect(error).toMatchObject({
      _tag: "DecodeError",
      message: expect.stringMatching(/100 pages of the list are empty/)
    })
    expect(requests).toBe(101)
  })

  it("reads what a consumer asks for and no more", async () => {
    let requests = 0
    for await (const item of over((token) => ({ items: [`${requests++}`, "x"], next_page: `${token}+` }))) {
      expect(item).toBe("0")
      break
    }
    expect(requests).toBe(1)
  })

  it("takes the client's calls as they are", async () => {
    const { quay, requests } = observed((request) =>
      json(
        new URL(request.url).searchParams.has("next_page")
          ? { repositories: [{ ...repository, name: "b" }] }
          : { repositories: [{ ...repository, name: "a" }], next_page: "n" }
      )
    )
    const list = paginate({
      path: "/api/v1/repository",
      page: (next) => quay.GET("/api/v1/repository", { params: { query: { namespace: "acme", ...next } } }),
      items: ({ repositories }) => repositories,
      key: ({ name }) => name
    })
    expect((await collect(list)).map(({ name }) => name)).toEqual(["a", "b"])
    expect(requests.map(({ url }) => new URL(url).search)).toEqual(["?namespace=acme", "?namespace=acme&next_page=n"])
  })
})

describe("paginateByNumber", () => {
  const by = (page: (number: number) => { items: string[]; has_additional?: boolean; has_next?: boolean }) =>
    paginateByNumber({
      path: "/api/v1/repository/{repository}/tag/",
      page: async (number) => page(number),
      items: ({ items }) => items
    })

  it("reads until there is no more", async () => {
    expect(await collect(by((number) => ({ items: [`${number}`], has_additional: number < 3 })))).toEqual([
      "1",
      "2",
      "3"
    ])
    expect(await collect(by((number) => ({ items: [`${number}`], has_next: number < 2 })))).toEqual(["1", "2"])
  })

  it("fails where pages repeat, and ends where one is empty", async () => {
    expect(await rejection(collect(by(() => ({ items: ["a"], has_additional: true }))))).toBeInstanceOf(DecodeError)
    expect(await collect(by((number) => ({ items: number === 1 ? ["a"] : [], has_additional: true })))).toEqual(["a"])
  })
})
