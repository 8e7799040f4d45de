/** What belongs to a registry and to no organization. */

/** The parent of such collections, worded for messages: no organization can have this name. */
export const THE_REGISTRY = "the registry"
