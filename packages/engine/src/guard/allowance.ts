/**
 * What a person allows although the guard speaks against it: by kind and amount, `team=28`, or by address, `repository:acme/old-*`.
 * An amount allows that many of the kind in the whole plan and not one more, whatever registry they are on.
 */
import { addressOf } from "../address.ts"
import { groupBy, sortedBy } from "../lists.ts"
import { namesLike } from "../name-pattern.ts"
import type { AnyOperation } from "../operation.ts"
import type { TargetPlan } from "../target-plan.ts"
import { ownDeletions } from "./deletion.ts"
import { type Finding, type Verdict, verdictText } from "./verdict.ts"

/** The names of allowances, as their flags end: `--allow-deletes`. Each says whether it can be given by address. */
export const allowances = {
  /** So many deletions of a kind. */
  deletes: { byAddress: false },
  /** Data or a credential destroyed. */
  destroy: { byAddress: true },
  /** So many deletions of a kind in collections that the files did not manage before. */
  "newly-managed": { byAddress: false },
  /** The caller's own access, or the last administrator, taken away. */
  lockout: { byAddress: true }
} as const

export type AllowanceName = keyof typeof allowances

const isAllowanceName = (name: string): name is AllowanceName => Object.hasOwn(allowances, name)

export const allowanceNames: ReadonlyArray<AllowanceName> = Object.keys(allowances).filter(isAllowanceName)

/** What is allowed, as flags say it: `{ deletes: ["team=28"], destroy: ["repository:acme/old-*"] }`. */
export type Allowances = { readonly [Name in AllowanceName]?: ReadonlyArray<string> }

type Parsed =
  | { readonly kind: string; readonly amount: number }
  | { readonly kind: string; readonly matches: (key: string) => boolean }

const parse = (text: string): Parsed | undefined => {
  const [, kind, sign, rest = ""] = /^([^:=\s]+)([:=])(.+)$/s.exec(text) ?? []
  if (kind === undefined) return undefined
  if (sign === ":") return { kind, matches: namesLike(rest) }
  return /^[0-9]{1,9}$/.test(rest) ? { kind, amount: Number(rest) } : undefined
}

/** What is wrong with the text of an allowance, or undefined. The kinds are told if they are known. */
export const allowanceFault = (
  name: AllowanceName,
  text: string,
  kinds?: { readonly has: (kind: string) => boolean }
): string | undefined => {
  const parsed = parse(text)
  const byAddress = allowances[name].byAddress
  const wanted = byAddress
    ? "KIND=AMOUNT or KIND:KEY, such as robot=3 or robot:acme/ci-*"
    : "KIND=AMOUNT, such as team=28"
  if (parsed === undefined || ("matches" in parsed && !byAddress)) return `Expected ${wanted}, not "${text}"`
  if (kinds !== undefined && !kinds.has(parsed.kind)) return `There is no kind named "${parsed.kind}", as in "${text}"`
  return undefined
}

/** An allowance that says nothing the guard understands. */
export class AllowanceInvalid extends Error {
  override readonly name = "AllowanceInvalid"
  readonly _tag = "AllowanceInvalid"
}

/** @throws {AllowanceInvalid} if one of them says nothing, or is about no kind that there is. */
export const checkAllowances = (given: Allowances, kinds: { readonly has: (kind: string) => boolean }): void => {
  for (const name of allowanceNames)
    for (const text of given[name] ?? []) {
      const fault = allowanceFault(name, text, kinds)
      if (fault !== undefined) throw new AllowanceInvalid(`${flagOf(name, text)}: ${fault}.`)
    }
}

const PLAIN = /^[\w@%+=:,./-]+$/

/** The flag as a shell takes it. */
const flagOf = (name: AllowanceName, text: string): string =>
  `--allow-${name} ${PLAIN.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`}`

/** Both together, in their one order. Names without any are left out. */
export const mergeAllowances = (a: Allowances, b: Allowances): Allowances =>
  Object.fromEntries(
    allowanceNames.flatMap((name) => {
      const texts = new Set([...(a[name] ?? []), ...(b[name] ?? [])])
      return texts.size === 0 ? [] : [[name, sortedBy(texts, (it) => it)]]
    })
  )

/** The targets with each verdict's flag, and with what allows it. The amounts are those of all the targets together. */
export const judgeAll = <Op extends AnyOperation>(
  targets: ReadonlyArray<TargetPlan<Op>>,
  given: Allowances
): ReadonlyArray<TargetPlan<Op>> => {
  if (targets.every(({ verdicts }) => verdicts.length === 0)) return targets
  const deleted = groupBy(
    targets.flatMap(({ operations }) => ownDeletions(operations)),
    ({ kind }) => kind
  )
  const said = allowanceNames.flatMap((name) =>
    (given[name] ?? []).flatMap((text) => {
      const parsed = parse(text)
      return parsed === undefined ? [] : [{ name, flag: flagOf(name, text), ...parsed }]
    })
  )
  const byAddress = ({ allowance, key, kind }: Finding) =>
    key === undefined
      ? undefined
      : said.find((it) => it.name === allowance && it.kind === kind && "matches" in it && it.matches(key))
  // What an address allows needs no amount.
  const unnamed = groupBy(
    new Set(
      targets.flatMap(({ registry, verdicts }) =>
        verdicts.flatMap((it) =>
          it.key === undefined || byAddress(it) !== undefined
            ? []
            : [`${it.allowance} ${it.kind}\n${registry} ${it.key}`]
        )
      )
    ),
    (text) => text.slice(0, text.indexOf("\n"))
  )
  const newlyManaged = groupBy(
    targets.flatMap(({ verdicts }) =>
      verdicts.flatMap(({ allowance, kind, operations }) =>
        allowance === "newly-managed" ? operations.map((id) => ({ kind, id })) : []
      )
    ),
    ({ kind }) => kind
  )
  /** How much of it there is in the whole plan. */
  const amountOf = ({ allowance, key, kind }: Finding): number => {
    if (allowance === "newly-managed") return newlyManaged.get(kind)?.length ?? 0
    return key === undefined || allowance === "deletes"
      ? (deleted.get(kind)?.length ?? 0)
      : (unnamed.get(`${allowance} ${kind}`)?.length ?? 0)
  }
  const verdictOf = ({ allow: _, allowAlike: __, allowed: ___, ...finding }: Verdict): Verdict => {
    const { allowance, key, kind } = finding
    if (allowance === undefined) return finding
    const amount = amountOf(finding)
    const by =
      byAddress(finding) ??
      said.find((it) => it.name === allowance && it.kind === kind && "amount" in it && it.amount >= amount)
    const all = flagOf(allowance, `${kind}=${amount}`)
    const named = key !== undefined && allowances[allowance].byAddress
    return {
      ...finding,
      allow: named ? flagOf(allowance, addressOf(kind, key)) : all,
      ...(named && amount > 1 ? { allowAlike: all } : {}),
      ...(by === undefined ? {} : { allowed: by.flag })
    }
  }
  return targets.map((target) => ({ ...target, verdicts: sortedBy(target.verdicts.map(verdictOf), verdictText) }))
}

/** The target with each verdict's flag, as if it were the only one, and nothing allowed. */
export const judged = <Op extends AnyOperation>(target: TargetPlan<Op>): TargetPlan<Op> =>
  judgeAll([target], {})[0] ?? target
