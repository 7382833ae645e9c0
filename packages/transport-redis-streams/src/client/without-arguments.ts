/** What the server says of a command it does not know: the arguments, and of `AUTH` they are the password. */
const ARGUMENTS = /,? with args beginning with:.*$/s;

/**
 * Takes from an error of the client, and from those it was caused by, the command with all its arguments: they hold
 * passwords and whole events (L4). Changes and returns the error itself.
 */
export function withoutArguments<T>(error: T, depth = 0): T {
  if (!(error instanceof Error) || depth > 5) return error;
  if ("command" in error) delete error.command;
  if (ARGUMENTS.test(error.message)) {
    error.message = error.message.replace(ARGUMENTS, "");
    error.stack = `${error.name}: ${error.message}`;
  }
  const { cause, errors, lastNodeError } = error as { cause?: unknown; errors?: unknown; lastNodeError?: unknown };
  for (const inner of [cause, lastNodeError, ...(Array.isArray(errors) ? errors : [])])
    withoutArguments(inner, depth + 1);
  return error;
}
