/** The libraries that connect and log in. */
export const ENGINES = ["kafkajs", "platformatic"] as const;
