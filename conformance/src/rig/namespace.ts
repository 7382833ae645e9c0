/** Tells runs on one broker apart. */
const run = `${process.pid.toString(36)}${(Date.now() % 36 ** 5).toString(36)}`;
let count = 0;

/** A namespace that nobody has used. */
export function newNamespace(): string {
  count += 1;
  return `c${run}-${count.toString(36)}`;
}
