import { type KafkaVersion, kafkaSpec } from "./kafka.ts";
import type { BrokerSpec } from "./spec.ts";

/** Who may log in at a broker. */
export interface BrokerUser {
  readonly username: string;
  /** Letters and digits only: it goes into files and URLs as it is. */
  readonly password: string;
}

const SCRAM = ["SCRAM-SHA-256", "SCRAM-SHA-512"];
const LISTENER = "listener.name.sasl_plaintext";
const MODULES = "org.apache.kafka.common.security";

/** A Kafka that nobody may use without logging in, by each of the mechanisms; as `kafkaSpec` has it otherwise. */
export function kafkaSaslSpec(version: KafkaVersion, user: BrokerUser): BrokerSpec {
  return withLogins(version, user, loginOf(user, []));
}

/** The same, where all but the user may do only what they are granted. The others log in by PLAIN, or with an unsigned token. */
export function kafkaAclSpec(version: KafkaVersion, user: BrokerUser, others: readonly BrokerUser[]): BrokerSpec {
  const authorizer = [
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    // Controllers and brokers know each other without a login here.
    `super.users=User:${user.username};User:ANONYMOUS`,
  ];
  return { ...withLogins(version, user, [...loginOf(user, others), ...authorizer]), kind: "kafka_acl" };
}

/** As `kafkaSpec` has it, but for these lines. Later lines of a file of properties win. */
function withLogins(version: KafkaVersion, user: BrokerUser, lines: readonly string[]): BrokerSpec {
  const plain = kafkaSpec(version);
  const { docker, native } = plain;
  const scram = SCRAM.flatMap((name) => ["--add-scram", `${name}=[name=${user.username},password=${user.password}]`]);
  const files = (given: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(
      Object.entries(given).map(([path, text]) => [
        path,
        `${text.replaceAll("PLAINTEXT://", "SASL_PLAINTEXT://")}${lines.join("\n")}\n`,
      ]),
    );
  return {
    ...plain,
    // A kind of its own, because an address in the environment for the other one leads to a broker without a login.
    kind: "kafka_sasl",
    uri: (host, port) => `kafka://${user.username}:${user.password}@${host}:${port}`,
    docker: {
      ...docker,
      files: (host, port) => files(docker.files?.(host, port)),
      command: (host, port) => [
        "sh",
        "-c",
        formatAndRun(Object.keys(docker.files?.(host, port) ?? {})[0] ?? "", scram),
      ],
    },
    native: {
      ...native,
      run: (folder: string, ports: readonly number[], jars = "") => {
        const launch = native.run(folder, ports, jars);
        const { before } = launch;
        const withUser = before && { ...before, args: [...before.args, ...scram] };
        return { ...launch, files: files(launch.files), ...(withUser && { before: withUser }) };
      },
    },
  };
}

/** A login on the same listener. */
function loginOf(user: BrokerUser, others: readonly BrokerUser[]): readonly string[] {
  const { username, password } = user;
  const plain = `${MODULES}.plain.PlainLoginModule required username="${username}" password="${password}"`;
  const users = [user, ...others].map((each) => `user_${each.username}="${each.password}"`);
  return [
    "listener.security.protocol.map=CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT",
    "inter.broker.listener.name=SASL_PLAINTEXT",
    "sasl.mechanism.inter.broker.protocol=PLAIN",
    `sasl.enabled.mechanisms=${["PLAIN", ...SCRAM, "OAUTHBEARER"].join(",")}`,
    `${LISTENER}.plain.sasl.jaas.config=${plain} ${users.join(" ")};`,
    ...SCRAM.map(
      (name) => `${LISTENER}.${name.toLowerCase()}.sasl.jaas.config=${MODULES}.scram.ScramLoginModule required;`,
    ),
    // Without a validator of its own it accepts tokens that nobody has signed.
    `${LISTENER}.oauthbearer.sasl.jaas.config=${MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="${username}";`,
  ];
}

/** The image's own start formats the storage without users. */
function formatAndRun(file: string, scram: readonly string[]): string {
  const arguments_ = scram.map((argument) => `'${argument}'`).join(" ");
  const format = `/opt/kafka/bin/kafka-storage.sh format --ignore-formatted -t 4L6g3nShT-eMCtK--X86sw -c ${file} ${arguments_}`;
  return `${format} && exec /opt/kafka/bin/kafka-server-start.sh ${file}`;
}
