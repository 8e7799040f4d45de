// The feature flags of a Quay with everything on but mailing and billing, and how releases compare.

export type Features = { readonly [name: string]: boolean }

export const DEFAULT_FEATURES: Features = {
  ACTION_LOG_ROTATION: false,
  ADVERTISE_V2: true,
  AGGREGATED_LOG_COUNT_RETRIEVAL: true,
  ANONYMOUS_ACCESS: true,
  APP_SPECIFIC_TOKENS: true,
  ASSIGN_OAUTH_TOKEN: true,
  AUTO_PRUNE: true,
  BILLING: false,
  BITBUCKET_BUILD: false,
  BLACKLISTED_EMAILS: false,
  BUILD_SUPPORT: true,
  CHANGE_TAG_EXPIRATION: true,
  CLEAR_EXPIRED_RAC_ENTRIES: false,
  DIRECT_LOGIN: true,
  DISABLE_PULL_LOGS_FOR_FREE_NAMESPACES: false,
  EDIT_QUOTA: true,
  ENABLE_STALE_MPU_CLEANUP: true,
  ENTITLEMENT_RECONCILIATION: false,
  EXPORT_COMPLIANCE: false,
  EXTENDED_ACTION_LOGGING: true,
  EXTENDED_REPOSITORY_NAMES: true,
  FIPS: false,
  GARBAGE_COLLECTION: true,
  GENERAL_OCI_SUPPORT: true,
  GITHUB_BUILD: false,
  GITHUB_LOGIN: false,
  GITLAB_BUILD: false,
  GOOGLE_LOGIN: false,
  HELM_OCI_SUPPORT: true,
  IMAGE_EXPIRY_TRIGGER: true,
  IMAGE_PULL_STATS: true,
  IMMUTABLE_TAGS: true,
  IMMUTABLE_TAGS_CAN_EXPIRE: false,
  INVITE_ONLY_USER_CREATION: false,
  LIBRARY_SUPPORT: true,
  LOG_EXPORT: true,
  MAILING: false,
  MANIFEST_SIZE_BACKFILL: true,
  MANIFEST_SUBJECT_BACKFILL: true,
  NAMESPACE_GARBAGE_COLLECTION: true,
  NONSUPERUSER_TEAM_SYNCING_SETUP: true,
  ORG_MIRROR: true,
  ORG_SHARED_EMAIL: false,
  OTEL_TRACING: false,
  PARTIAL_USER_AUTOCOMPLETE: true,
  PERMANENT_SESSIONS: true,
  PROGRAMMATIC_BOOTSTRAP: true,
  PROXY_CACHE: true,
  PROXY_CACHE_BLOB_DOWNLOAD: true,
  PROXY_STORAGE: false,
  PUBLIC_CATALOG: true,
  QUOTA_MANAGEMENT: true,
  QUOTA_NOTIFICATIONS: true,
  QUOTA_SUPPRESS_FAILURES: false,
  RATE_LIMITS: false,
  READER_BUILD_LOGS: true,
  RECAPTCHA: false,
  REFERRERS_API: true,
  REPOSITORY_ACTION_COUNTER: true,
  REPOSITORY_GARBAGE_COLLECTION: true,
  REPO_MIRROR: true,
  REQUIRE_ENCRYPTED_BASIC_AUTH: false,
  REQUIRE_TEAM_INVITE: false,
  RESTRICTED_USERS: false,
  RESTRICTED_V1_PUSH: false,
  RH_MARKETPLACE: false,
  SECURITY_NOTIFICATIONS: true,
  SECURITY_SCANNER: true,
  SECURITY_SCANNER_NOTIFY_ON_NEW_INDEX: true,
  SECURITY_SCANNER_V2: false,
  SIGNING: false,
  SPAM_DETECTION: false,
  SPARSE_INDEX: true,
  STORAGE_REPLICATION: false,
  SUPERUSERS_FULL_ACCESS: true,
  SUPERUSERS_ORG_CREATION_ONLY: true,
  SUPERUSER_CONFIGDUMP: true,
  SUPER_USERS: true,
  TEAM_SYNCING: true,
  UI_DELAY_AFTER_WRITE: false,
  UI_MODELCARD: true,
  UI_V2: true,
  USERNAME_CONFIRMATION: true,
  USER_CREATION: true,
  USER_EVENTS: true,
  USER_INITIALIZE: true,
  USER_LAST_ACCESSED: true,
  USER_LOG_ACCESS: true,
  USER_METADATA: true,
  USER_RENAME: true,
  VERIFY_QUOTA: true
}

/** Flags that nobody sets, which show from the release on that first knew them. */
const SHOWN_SINCE = new Map([
  ["MANIFEST_SUBJECT_BACKFILL", "3.12"],
  ["QUOTA_SUPPRESS_FAILURES", "3.12"],
  ["PROXY_CACHE_BLOB_DOWNLOAD", "3.15"],
  ["UI_MODELCARD", "3.15"],
  ["USER_EVENTS", "3.15"],
  ["IMMUTABLE_TAGS_CAN_EXPIRE", "3.17"],
  ["ORG_SHARED_EMAIL", "3.18"],
  ["SECURITY_SCANNER_V2", "3.18"],
  ["ENABLE_STALE_MPU_CLEANUP", "3.19"],
  ["SPAM_DETECTION", "3.19"]
])

/** The flags of a release that was configured with everything on. What was configured shows, known to it or not. */
export const featuresOf = (version: string | undefined): Features => ({
  ...Object.fromEntries(
    Object.entries(DEFAULT_FEATURES).filter(([name]) => isAtLeast(version, SHOWN_SINCE.get(name) ?? "3"))
  ),
  UI_V2: isAtLeast(version, "3.16"),
  ...(isAtLeast(version, "3.11") ? {} : { UI_V2_REPO_SETTINGS: false })
})

export const TAG_EXPIRATION_OPTIONS: readonly string[] = ["0s", "1d", "1w", "2w", "4w"]

const SECONDS = new Map([
  ["s", 1],
  ["m", 60],
  ["h", 3600],
  ["d", 86_400],
  ["w", 604_800]
])

export const tagExpirationSeconds: readonly number[] = TAG_EXPIRATION_OPTIONS.map(
  (option) => Number.parseInt(option, 10) * (SECONDS.get(option.slice(-1)) ?? 0)
)

const numbers = (version: string): number[] => version.replace(/^v/, "").split(".").map(Number)

/** Whether a release is at least another one. No release means the newest, and one without a patch its newest patch. */
export const isAtLeast = (version: string | undefined, wanted: string): boolean => {
  if (version === undefined) return true
  const have = numbers(version)
  for (const [index, number] of numbers(wanted).entries()) {
    const mine = have[index] ?? Number.POSITIVE_INFINITY
    if (mine !== number) return mine > number
  }
  return true
}

/** Whether a release has what came with the last of some releases and, in a patch, with each of the others. */
export const isAmong = (version: string | undefined, releases: readonly string[]): boolean => {
  if (version === undefined) return true
  return releases.some((release, index) => {
    const isSameMinor = numbers(version)[1] === numbers(release)[1]
    return isAtLeast(version, release) && (isSameMinor || index === releases.length - 1)
  })
}
