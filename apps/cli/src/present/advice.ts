/** What to do about a failure, by the name of its error. What happened and where is in the error's own message. */

const ADVICE: ReadonlyMap<string, string> = new Map([
  [
    "Unauthenticated",
    "Give a valid token with QUAY_TOKEN or --token-file, or name one under the registry in quaymaster.yaml."
  ],
  ["Forbidden", "Use a token of an owner of the organization, or a superuser's, with the scopes that this needs."],
  ["FeatureOff", "Leave that part out of the file, or have the registry's administrator switch it on."],
  ["RateLimited", "Try again later, or with less at once: --parallelism 4, --rps 10."],
  ["ServerError", "Try again. If it stays, the registry's own log says more."],
  ["Redirected", "Give the registry's own URL, with the scheme and the path it is served at."],
  ["TransportError", "Check the URL and the network, and try again."],
  ["DecodeError", "Check that the URL is the registry's, and that no proxy before it wants a sign-in."],
  ["Exists", "Something else made it first: plan again."],
  ["Missing", "What it needs is not there: plan again."],
  ["PlanStale", "Plan again, and look at what has changed; or do what is left of it, with --rebase."],
  ["PlanDiffers", "Look at the plan above, and approve its digest if it is right."],
  ["PlanExceeds", "Look at the plan above, and have it approved anew."],
  [
    "LockHeld",
    "Wait for it with --lock-timeout 5m. If that process has ended for good, on another machine or in a container, remove the file."
  ],
  ["PlanUnreadable", "Make a new plan with -o, and apply that."],
  ["PlanElsewhere", "Plan again for the registry that you mean."]
])

export const advice = (tag: string | undefined): string | undefined => (tag === undefined ? undefined : ADVICE.get(tag))
