/** The use case that a command is about. */
export const USE_CASE = ["<use-case>", "as papa use-cases lists them"] as const;
