import { createHash } from "node:crypto";
import { compile, type Program } from "../lua/compile.ts";
import { LuaError } from "../lua/error.ts";
import { library } from "../lua/library.ts";
import { LuaTable } from "../lua/table.ts";
import type { LuaFunction, LuaValue } from "../lua/value.ts";
import { Arguments } from "./commands/command.ts";
import { commands, NEEDS_MEMORY, READS_ONLY } from "./commands/commands.ts";
import type { Database } from "./database.ts";
import { OK, RedisError, type Reply, Status } from "./reply.ts";

export const FULL = "OOM command not allowed when used memory > 'maxmemory'.";

interface Script {
  readonly program: Program;
  readonly flags: ReadonlySet<string>;
  readonly sha: string;
}

/** Compiled once in a thread: runs have the same scripts. */
const compiled = new Map<string, Script>();

/** The server's scripts: it knows those that were run, until it forgets them. */
export class Scripts {
  readonly #database: Database;
  readonly #isFull: () => boolean;
  readonly #known = new Set<string>();

  constructor(database: Database, isFull: () => boolean) {
    this.#database = database;
    this.#isFull = isFull;
  }

  forget(): void {
    this.#known.clear();
  }

  /** Runs a script by its digest. @throws RedisError */
  evalSha(sha: string, args: Arguments, readsOnly: boolean): Reply {
    const script = compiled.get(sha.toLowerCase());
    if (script === undefined || !this.#known.has(script.sha))
      throw new RedisError("NOSCRIPT No matching script. Please use EVAL.");
    return this.#run(script, args, readsOnly);
  }

  /** Runs a script, and knows it from now on. @throws RedisError */
  eval(source: string, args: Arguments, readsOnly: boolean): Reply {
    const script = scriptOf(source);
    this.#known.add(script.sha);
    return this.#run(script, args, readsOnly);
  }

  #run({ program, flags, sha }: Script, args: Arguments, readsOnly: boolean): Reply {
    const count = args.integer();
    const keys = Array.from({ length: count }, () => args.next());
    const mayNotWrite = readsOnly || flags.has("no-writes");
    const refusesMemory = this.#isFull() && !flags.has("allow-oom") && !mayNotWrite;
    const call = (values: readonly LuaValue[]): Reply => {
      const [name = "", ...rest] = values.map(argumentOf);
      const word = name.toUpperCase();
      const command = commands[word];
      if (command === undefined) throw new RedisError(`ERR Unknown Redis command called from script: ${name}`);
      if (mayNotWrite && !READS_ONLY.has(word))
        throw new RedisError("ERR Write commands are not allowed from read-only scripts.");
      if (refusesMemory && NEEDS_MEMORY.has(word)) throw new RedisError(FULL);
      return command(this.#database, new Arguments(rest));
    };
    try {
      const [result] = program({
        KEYS: LuaTable.of(keys),
        ARGV: LuaTable.of([...args.rest()]),
        redis: redisLibrary(call),
      });
      return toReply(result);
    } catch (error) {
      if (!(error instanceof LuaError)) throw error;
      const { value } = error;
      const message = value instanceof LuaTable ? String(value.get("err")) : `ERR ${String(value)}`;
      throw new RedisError(`${message} script: ${sha}, on @user_script:1.`);
    }
  }
}

function scriptOf(source: string): Script {
  const sha = createHash("sha1").update(Buffer.from(source, "latin1")).digest("hex");
  let script = compiled.get(sha);
  if (script !== undefined) return script;
  const [, flags = "", lua = source] = /^#!lua(?: flags=([\w,-]+))?\n([\s\S]*)$/.exec(source) ?? [];
  script = { program: compile(lua), flags: new Set(flags.split(",")), sha };
  compiled.set(sha, script);
  return script;
}

function redisLibrary(call: (values: readonly LuaValue[]) => Reply): LuaTable {
  const attempt = (values: readonly LuaValue[]): LuaValue => {
    try {
      return toLua(call(values));
    } catch (error) {
      if (error instanceof RedisError) return tableWith("err", error.message);
      throw error;
    }
  };
  const members: Record<string, LuaFunction> = {
    call: (...values) => {
      const result = attempt(values);
      if (result instanceof LuaTable && result.get("err") !== undefined) throw new LuaError(result);
      return [result];
    },
    pcall: (...values) => [attempt(values)],
    error_reply: (message) => [tableWith("err", String(message))],
    status_reply: (message) => [tableWith("ok", String(message))],
    sha1hex: (text) => [
      createHash("sha1")
        .update(Buffer.from(String(text), "latin1"))
        .digest("hex"),
    ],
  };
  return library(members);
}

function argumentOf(value: LuaValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw new RedisError("ERR Lua redis lib command arguments must be strings or integers");
}

function tableWith(field: string, value: string): LuaTable {
  const table = new LuaTable();
  table.set(field, value);
  return table;
}

function toLua(reply: Reply): LuaValue {
  if (reply === null) return false;
  if (reply instanceof Status) return tableWith("ok", reply.text);
  if (reply instanceof RedisError) return tableWith("err", reply.message);
  if (typeof reply === "object") return LuaTable.of(reply.map(toLua));
  return reply;
}

function toReply(value: LuaValue): Reply {
  if (typeof value === "number") return Math.trunc(value);
  if (typeof value === "string") return value;
  if (value === true) return 1;
  if (!(value instanceof LuaTable)) return null;
  const [error, status] = [value.get("err"), value.get("ok")];
  if (typeof error === "string") return new RedisError(error);
  if (typeof status === "string") return status === "OK" ? OK : new Status(status);
  return value.list.map(toReply);
}
