import { KafkaError } from "./kafka-client.ts";

/** What kafkajs lends an authenticator: one exchange of bytes, each side's led by their length in four bytes. */
interface Exchange {
  readonly saslAuthenticate: (exchange: {
    readonly request: { encode(): Promise<Buffer> };
    readonly response: { decode(answer: Buffer): Promise<Buffer>; parse(decoded: Buffer): Promise<string> };
  }) => Promise<string>;
}

const SEPARATOR = "\u0001";

/**
 * The login by OAUTHBEARER (RFC 7628), in place of the one of kafkajs, which takes the refusal of a token for success: the
 * broker answers a bad token without an error code, with JSON that tells why, where nothing is the answer to a good one.
 */
export function oauthBearer(token: () => Promise<string>): (exchange: Exchange) => { authenticate(): Promise<void> } {
  return ({ saslAuthenticate }) => ({
    authenticate: async () => {
      const answer = await saslAuthenticate({
        request: { encode: async () => message(await valid(token)) },
        response: { decode: async (bytes) => bytes, parse: async (bytes) => bytes.subarray(4).toString() },
      });
      if (answer !== "") throw refused(`the broker refuses the token: ${statusOf(answer)}`);
    },
  });
}

async function valid(token: () => Promise<string>): Promise<string> {
  let value: unknown;
  try {
    value = await token();
  } catch (error) {
    // Its issuer may be back soon.
    const why = error instanceof Error ? error.message : String(error);
    throw new KafkaError("TOKEN", `The token for SASL OAUTHBEARER could not be had: ${why}`, true, error);
  }
  if (typeof value === "string" && value !== "") return value;
  throw refused("`token` resolved to no text");
}

function message(token: string): Buffer {
  const text = Buffer.from(`n,,${SEPARATOR}auth=Bearer ${token}${SEPARATOR}${SEPARATOR}`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(text.length);
  return Buffer.concat([length, text]);
}

function statusOf(answer: string): string {
  try {
    const { status } = JSON.parse(answer) as { status?: unknown };
    return typeof status === "string" ? status : "it does not say why";
  } catch {
    return "it does not say why";
  }
}

function refused(why: string): KafkaError {
  return new KafkaError("AUTHENTICATION", `SASL OAUTHBEARER authentication failed: ${why}`, false);
}
