/** The end of a command's help. */
export function examples(...commands: readonly string[]): string {
  return `\n${commands.length === 1 ? "Example" : "Examples"}:\n${commands.map((each) => `  $ ${each}`).join("\n")}`;
}
