/** What an account may do with a topic or a group, by Kafka's number for it. */
const OPERATIONS = {
  3: "Read",
  4: "Write",
  5: "Create",
  6: "Delete",
  7: "Alter",
  8: "Describe",
  10: "DescribeConfigs",
  11: "AlterConfigs",
} as const;

export type Operation = (typeof OPERATIONS)[keyof typeof OPERATIONS];

/** Reads a set of operations from its bits; `undefined` where the broker does not tell. */
export function operationsOf(bits: number): ReadonlySet<Operation> | undefined {
  // The least number says that it was not asked for.
  if (bits === -2_147_483_648) return undefined;
  const all = Object.entries(OPERATIONS);
  return new Set(all.filter(([number]) => (bits & (1 << Number(number))) !== 0).map(([, name]) => name));
}
