import { type Broker, kafkaWithLogin } from "@papa-events/conformance/brokers";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { loadEngine } from "../../src/client/load-engine.ts";
import { oauthBearer } from "../../src/client/oauth-bearer.ts";
import type { KafkaOptions, SaslOptions } from "../../src/index.ts";
import { clientTo } from "../support/admin.ts";
import { failure } from "../support/failure.ts";
import { brokerUri, brokerVersion, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";
import { ENGINES } from "./engines.ts";

const USER = { username: "papa", password: "s3cret" };

let broker: Broker;
/** Its address without credentials. */
let address: string;

beforeAll(async () => {
  broker = await kafkaWithLogin(brokerVersion(), USER);
  address = broker.uri.replace(/\/\/.*@/, "//");
  return () => broker.stop();
}, 120_000);

/** Expects an event to be handled: connections for publishing, fetching and the group all log in. */
async function handles(options: KafkaOptions): Promise<void> {
  const space = new Space();
  const handled: unknown[] = [];
  const app = space.app({ transport: space.transport(options) });
  app.onEvent("user.*", { useCase: "let_in" }, (payload) => void handled.push(payload));
  await app.start();
  await app.newEvent("user.created", "in");
  await until("it is handled", () => handled.length > 0);
  expect(handled).toEqual(["in"]);
}

const BY_PASSWORD = ["plain", "scram-sha-256", "scram-sha-512"] as const;

/** Makes an unsigned token, which the broker's own validator for tests accepts. */
function token(subject: string, lifetime: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Date.now() / 1_000;
  return `${part({ alg: "none" })}.${part({ sub: subject, iat: now - 60, exp: now + lifetime })}.`;
}

const bearer = (makeToken: () => string): SaslOptions => ({ mechanism: "oauthbearer", token: async () => makeToken() });

describe.each(ENGINES)("with %s", (engine) => {
  const failed = (options: KafkaOptions, secret?: string) => failure({ ...options, engine }, secret);
  const works = (options: KafkaOptions) => handles({ ...options, engine });

  test.each(BY_PASSWORD)("L4 %s accepts the right password, by URL and by options", async (mechanism) => {
    await works({ uri: `${broker.uri}?mechanism=${mechanism}` });
    await works({ uri: address, sasl: { mechanism, ...USER } });
  });

  test.each(BY_PASSWORD)("L4 a wrong password is refused by %s and appears in no error", async (mechanism) => {
    const error = await failed({ uri: address, sasl: { mechanism, username: "papa", password: "wr0ng-s3cret" } });
    expect(error).toMatchObject({ code: "access-refused", retryable: false });
    expect(error.message).toContain(address);
    const stranger = await failed({ uri: `${address.replace("//", "//stranger:s3cret@")}?mechanism=${mechanism}` });
    expect(stranger.code).toBe("access-refused");
  });

  test("L4 oauthbearer asks for a token for each connection", async () => {
    let asked = 0;
    await works({
      uri: address,
      sasl: bearer(() => {
        asked += 1;
        return token(`papa${asked}`, 600);
      }),
    });
    expect(asked).toBeGreaterThan(1);
  });

  test("L4 oauthbearer sends its extensions, which a hosted cluster may need", async () => {
    const extensions = { logicalCluster: "lkc-1", identityPoolId: "pool-1" };
    await works({
      uri: address,
      sasl: { mechanism: "oauthbearer", token: async () => token("papa", 600), extensions },
    });
  });
  test("L4 an expired token is refused and appears in no error", async () => {
    const expired = token("s3cret", -30);
    const error = await failed({ uri: address, sasl: bearer(() => expired) }, expired);
    expect(error).toMatchObject({ code: "access-refused", retryable: false });
    expect(error.message).toContain("refuses the token: invalid_token");
  });

  test("L4 a token that cannot be obtained fails the start with the reason", async () => {
    const error = await failed({
      uri: address,
      sasl: bearer(() => {
        throw new Error("the issuer is away");
      }),
    });
    expect(error).toMatchObject({ code: "connection-failed", retryable: true });
    expect(error.message).toContain("the issuer is away");
    const nothing = await failed({ uri: address, sasl: bearer(() => "") });
    expect(nothing.code).toBe("access-refused");
  });

  test("L3 a login that is interrupted while it waits for its token ends at once, and stays ended", async () => {
    let issue = () => {};
    let asked = 0;
    const slow = async () => {
      asked += 1;
      if (asked > 2) await new Promise<void>((resolve) => (issue = resolve));
      return token("papa", 600);
    };
    const client = clientTo(address, { mechanism: "oauthbearer", token: slow }, await loadEngine(engine));
    onTestFinished(() => client.close());
    const [node = -1] = (await client.metadata("all")).nodes;
    await client.listOffsets(node, [], "latest");
    const limits = { wait: 0, bytes: 1_000, bytesPerPartition: 1_000 };
    const fetched = client
      .fetch(node, [{ topic: "none", partition: 0, offset: 0 }], limits)
      .catch((error) => error.type);
    await until("it asks for a token", () => asked === 3);
    const begun = performance.now();
    client.interruptFetches();
    expect(await fetched).toBe("CONNECTION");
    expect(performance.now() - begun).toBeLessThan(1_000);
    issue();
  });

  test("L4 credentials that the broker does not expect, and missing ones that it does, are refused", async () => {
    const unexpected = await failed({ uri: brokerUri().replace("//", "//papa:s3cret@") });
    expect(unexpected.code).toBe("access-refused");
    const missing = await failed({ uri: address });
    expect(missing.code).toBe("connection-failed");
    expect(missing.message).toMatch(/login/);
  });
});

test("L4 extensions are sent behind the token, and what none can carry is refused", async () => {
  const extensions = { logicalCluster: "lkc-1", identityPoolId: "pool-1" };
  let sent = "";
  const authenticator = oauthBearer(
    async () => "t",
    extensions,
  )({
    saslAuthenticate: async ({ request }) => {
      sent = (await request.encode()).subarray(4).toString();
      return "";
    },
  });
  await authenticator.authenticate();
  expect(sent).toBe("n,,\u0001auth=Bearer t\u0001logicalCluster=lkc-1\u0001identityPoolId=pool-1\u0001\u0001");
  for (const wrong of [{ auth: "x" }, { "a-b": "x" }, { a: "\u0001" }]) {
    const sasl = { mechanism: "oauthbearer", token: async () => "t", extensions: wrong } as const;
    expect(() => new Space().transport({ sasl })).toThrow(/extension/);
  }
});
