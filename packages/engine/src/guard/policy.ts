/** From how much on the guard speaks up. */

export interface Thresholds {
  /** More than so many percent of a collection deleted. */
  readonly share: number
  /** That is asked of collections with at least so many objects. */
  readonly of: number
  /** A collection with at least so many objects emptied. */
  readonly empties: number
}

export interface Policy extends Thresholds {
  /** What is different for some kinds, by name. */
  readonly kinds: Readonly<Record<string, Partial<Thresholds>>>
  readonly administrators?: AdministratorsPolicy
}

/** Who has to administer what is managed. */
export interface AdministratorsPolicy {
  readonly required: ReadonlyArray<string>
  readonly atLeast: number
}

export const defaultPolicy: Policy = { share: 30, of: 10, empties: 3, kinds: {} }

export const thresholdsOf = (policy: Policy, kind: string): Thresholds => ({
  share: policy.share,
  of: policy.of,
  empties: policy.empties,
  ...(Object.hasOwn(policy.kinds, kind) ? policy.kinds[kind] : {})
})
