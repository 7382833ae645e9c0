import { wrongUse } from "../errors/cli-error.ts";

/** The broker's URL: of the option, else of the environment. */
export function brokerUrl(option: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  const url = option ?? env.PAPA_BROKER_URL ?? "";
  if (url !== "") return url;
  throw wrongUse(
    "No broker is given.",
    "Give --broker <url> or set PAPA_BROKER_URL, such as redis://localhost:6379?prefix=orders",
  );
}

/** Passwords shorter than this are too likely to be part of an innocent word. */
const MIN_SECRET_LENGTH = 4;

/**
 * Makes a function that takes the secrets of URLs out of a text. Errors of the library never hold a password; this is for
 * those of clients, for stacks, and for what is said of an argument that was given wrongly.
 *
 * @param given what may hold a URL
 */
export function redactorFor(given: readonly string[]): (text: string) => string {
  const secrets = given.flatMap(secretsOf);
  return (text) => {
    // A whole URL first: its password may be written otherwise elsewhere. That of an example stays.
    let redacted = text.replaceAll(/\/\/(?!user:password@)[^/@\s"']*@/g, "//***@");
    for (const secret of secrets) redacted = redacted.replaceAll(secret, "***");
    return redacted;
  };
}

function secretsOf(text: string): string[] {
  // The password reaches to the last @: one that is not percent-encoded may have any character.
  const raw = /:\/\/[^:/?#]*:(.*)@/s.exec(text)?.[1] ?? "";
  const secrets = [raw];
  try {
    secrets.push(decodeURIComponent(raw));
  } catch {
    // Not encoded, so that it is written as it is.
  }
  return [...new Set(secrets)].filter((secret) => secret.length >= MIN_SECRET_LENGTH);
}
