/**
 * Lists that come in pages, as async iterables. A token for the next page that Quay does not accept answers page one again,
 * with a new token, so a list is followed only as long as it brings something new. Holds one page and the keys seen.
 */
import { DecodeError } from "./errors.ts"
import { operationFor } from "./operations.ts"

export interface PageOptions<Page, Item> {
  /** The list's path with its parameters in braces; for errors. */
  readonly path: string
  readonly items: (page: Page) => readonly Item[]
  /** What tells items apart. Default: all of the item. */
  readonly key?: ((item: Item) => string) | undefined
  /** A list with more pages than this fails. Default 10 000. */
  readonly maxPages?: number | undefined
}

/** Pages in a row without anything on them, after which a list is taken to have no end. */
const MOST_EMPTY = 100

const failure = (path: string, message: string): DecodeError =>
  new DecodeError(message, { method: "GET", path, operation: operationFor("GET", path)?.id })

/** Yields what is new on each page; `step` returns whether there is another. */
async function* follow<Page, Item>(
  options: PageOptions<Page, Item>,
  step: () => Promise<{ readonly page: Page; readonly more: boolean }>
): AsyncGenerator<Item, void, undefined> {
  const { path, items, key = (item: Item) => JSON.stringify(item), maxPages = 10_000 } = options
  const seen = new Set<string>()
  let empty = 0
  for (let count = 1; ; count++) {
    const { page, more } = await step()
    const list = items(page)
    let fresh = 0
    for (const item of list) {
      const name = key(item)
      // An item that moved to a later page while we read is there twice.
      if (seen.has(name)) continue
      seen.add(name)
      fresh++
      yield item
    }
    if (list.length > 0 && fresh === 0)
      throw failure(path, "The list's pages repeat: the registry answers the same page again")
    if (!more) return
    empty = list.length === 0 ? empty + 1 : 0
    if (empty > MOST_EMPTY) throw failure(path, `More than ${MOST_EMPTY} pages of the list are empty, and it goes on`)
    if (count >= maxPages) throw failure(path, `The list has more than ${maxPages} pages`)
  }
}

/**
 * The items of a list that names its next page by a token. `page` is called without a token first. Fails with `DecodeError`
 * if pages repeat, if a token comes twice or is none, if one empty page
 * follows another for long, or after `maxPages`.
 *
 * ```ts
 * paginate({
 *   path: "/api/v1/repository",
 *   page: (next_page) => quay.GET("/api/v1/repository", { params: { query: { namespace, ...next_page } } }),
 *   items: (page) => page.repositories
 * })
 * ```
 */
export const paginate = <Page extends { readonly next_page?: string | null | undefined }, Item>(
  options: PageOptions<Page, Item> & {
    /** Reads a page: `{}` for the first, `{ next_page }` for the others; spread it into the query. */
    readonly page: (query: { readonly next_page?: string }) => Promise<Page>
  }
): AsyncGenerator<Item, void, undefined> => {
  const tokens = new Set<string>()
  let token: string | undefined
  return follow(options, async () => {
    const page = await options.page(token === undefined ? {} : { next_page: token })
    const next: unknown = page.next_page
    if (next !== undefined && next !== null && (typeof next !== "string" || next === ""))
      throw failure(options.path, "The list names a next page by something that is no token")
    token = next ?? undefined
    if (token !== undefined && tokens.has(token))
      throw failure(options.path, "The list's pages repeat: a page's token came twice")
    if (token !== undefined) tokens.add(token)
    return { page, more: token !== undefined }
  })
}

/** The items of a list whose pages are numbered from one and say whether there are more (`has_additional`, `has_next`). */
export const paginateByNumber = <
  Page extends { readonly has_additional?: boolean; readonly has_next?: boolean; readonly additional?: boolean },
  Item
>(
  options: PageOptions<Page, Item> & { readonly page: (number: number) => Promise<Page> }
): AsyncGenerator<Item, void, undefined> => {
  let number = 0
  return follow(options, async () => {
    number++
    const page = await options.page(number)
    const more = page.has_additional === true || page.has_next === true || page.additional === true
    return { page, more: more && options.items(page).length > 0 }
  })
}
