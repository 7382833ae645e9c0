import { KafkaError } from "../wire/kafka-error.ts";

/** What kafkajs gives an authenticator: one exchange of bytes. Both sides begin with a four-byte length. */
interface Exchange {
  readonly saslAuthenticate: (exchange: {
    readonly request: { encode(): Promise<Buffer> };
    readonly response: { decode(bytes: Buffer): Promise<Buffer>; parse(decoded: Buffer): Promise<string> };
  }) => Promise<string>;
}

const SEPARATOR = "\u0001";

/**
 * Logs in by OAUTHBEARER (RFC 7628) in place of kafkajs, which mistakes a refused token for success. The broker answers a
 * bad token without an error code but with JSON that gives the reason, and a good one with an empty response.
 */
export function oauthBearer(
  token: () => Promise<string>,
  extensions: Readonly<Record<string, string>> = {},
): (exchange: Exchange) => { authenticate(): Promise<void> } {
  return ({ saslAuthenticate }) => ({
    authenticate: async () => {
      const response = await saslAuthenticate({
        request: { encode: async () => message(await validToken(token), extensions) },
        response: { decode: async (bytes) => bytes, parse: async (bytes) => bytes.subarray(4).toString() },
      });
      assertAccepted(response);
    },
  });
}

/** @throws KafkaError if the broker's response to a token refuses it */
export function assertAccepted(response: string): void {
  if (response !== "") throw refused(`the broker refuses the token: ${statusOf(response)}`);
}

/** Resolves to a token. @throws KafkaError */
export async function validToken(token: () => Promise<string>): Promise<string> {
  let value: unknown;
  try {
    value = await token();
  } catch (error) {
    // The issuer may be available again soon.
    const why = error instanceof Error ? error.message : String(error);
    throw new KafkaError("TOKEN", `The token for SASL OAUTHBEARER could not be obtained: ${why}`, true, error);
  }
  if (typeof value === "string" && value !== "") return value;
  throw refused("`token` did not resolve to a non-empty string");
}

function message(token: string, extensions: Readonly<Record<string, string>>): Buffer {
  const pairs = [`auth=Bearer ${token}`, ...Object.entries(extensions).map(([name, value]) => `${name}=${value}`)];
  const text = Buffer.from(`n,,${SEPARATOR}${pairs.join(SEPARATOR)}${SEPARATOR}${SEPARATOR}`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(text.length);
  return Buffer.concat([length, text]);
}

function statusOf(response: string): string {
  try {
    const { status } = JSON.parse(response) as { status?: unknown };
    return typeof status === "string" ? status : "no reason given";
  } catch {
    return "no reason given";
  }
}

function refused(why: string): KafkaError {
  return new KafkaError("AUTHENTICATION", `SASL OAUTHBEARER authentication failed: ${why}`, false);
}
