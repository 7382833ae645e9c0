/** A broker at a version, and how each of the three ways gets it. */
export interface BrokerSpec {
  readonly kind: string;
  readonly version: string;
  /** Makes the address that clients take. */
  readonly uri: (host: string, port: number) => string;
  /** Says hello on a fresh connection, and sees by the first bytes of the answer whether it serves. */
  readonly hello: Uint8Array;
  readonly serves: (answer: Buffer) => boolean;
  readonly docker: DockerSpec;
  readonly native: NativeSpec;
}

interface DockerSpec {
  readonly image: string;
  /** The port inside. */
  readonly port: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: (host: string, port: number) => readonly string[];
  /** Files by their path inside. */
  readonly files?: (host: string, port: number) => Readonly<Record<string, string>>;
}

type NativeSpec = TreeSpec | JarsSpec;

/** A program of a Debian release. */
interface TreeSpec {
  readonly from: "tree";
  readonly source: DebianSource;
  /** What runs inside the tree; `folder` is its data's, as seen from inside, and `ports` are free ones, the first to listen on. */
  readonly run: (folder: string, ports: readonly number[]) => Launch;
}

/** A program of Maven Central. */
interface JarsSpec {
  readonly from: "jars";
  readonly artifact: string;
  readonly version: string;
  readonly run: (folder: string, ports: readonly number[], jars: string) => Launch;
}

export type DebianRelease = "bookworm" | "trixie" | "forky";

/** Where Debian has a broker. */
export interface DebianSource {
  readonly release: DebianRelease;
  /** The broker's package, and how its version begins. */
  readonly package: string;
  readonly version: string;
  /** The suite that has it, where the release has none so new: packages from there run on what the release has. */
  readonly newer?: {
    readonly suite: string;
    /** With their versions, as apt takes them: it allows a `*` at the end. */
    readonly packages: readonly string[];
  };
}

/** A program and its arguments. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

export interface Launch extends Command {
  readonly environment?: Readonly<Record<string, string>>;
  /** Files to write into the data folder before the first start, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** What runs once, after the files are written and before the first start. */
  readonly before?: Command;
}

/** The name of an environment variable about a broker: `PAPA_EVENTS_RABBITMQ_4_0`. */
export function variable(kind: string, version?: string): string {
  const parts = version === undefined ? [kind] : [kind, ...version.split(/[.-]/)];
  return ["PAPA_EVENTS", ...parts].join("_").toUpperCase();
}
