import { LIBRARY } from "./library.ts";
import { type Runtime, runtime } from "./runtime.ts";
import { type Token, tokenize } from "./token.ts";
import type { LuaValue } from "./value.ts";

/** A program, to be run with globals of its own besides the library's. */
export type Program = (globals: Readonly<Record<string, LuaValue>>) => LuaValue[];

/**
 * Translates a program of the part of Lua 5.1 that scripts use into JavaScript: no metatables, methods, varargs or `goto`.
 *
 * @throws Error where it is none, or uses more
 */
export function compile(source: string): Program {
  const body = new Compiler(tokenize(source)).program();
  const run = new Function("$", "global", body) as ($: Runtime, global: (name: string) => LuaValue) => LuaValue[];
  return (globals) =>
    run(runtime, (name) => {
      const value = globals[name] ?? LIBRARY[name];
      if (value === undefined) throw new Error(`Lua: there is no global "${name}"`);
      return value;
    });
}

/** How tightly operators bind. */
const BINARY: Readonly<Record<string, { readonly left: number; readonly right: number }>> = {
  or: { left: 1, right: 2 },
  and: { left: 3, right: 4 },
  "<": { left: 5, right: 6 },
  ">": { left: 5, right: 6 },
  "<=": { left: 5, right: 6 },
  ">=": { left: 5, right: 6 },
  "~=": { left: 5, right: 6 },
  "==": { left: 5, right: 6 },
  "..": { left: 8, right: 7 },
  "+": { left: 9, right: 10 },
  "-": { left: 9, right: 10 },
  "*": { left: 11, right: 12 },
  "/": { left: 11, right: 12 },
  "%": { left: 11, right: 12 },
};
const UNARY = 13;

/** The code of an expression; `many` if it gives a list of values. */
interface Expression {
  readonly code: string;
  readonly many: boolean;
  /** The code that assigns a value to it, where it can be assigned to. */
  readonly assign?: (value: string) => string;
}

class Compiler {
  readonly #tokens: readonly Token[];
  #at = 0;
  #names = 0;
  /** From the innermost block out, the JavaScript names of local variables. */
  #scopes: Map<string, string>[] = [new Map()];

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  program(): string {
    const body = this.#block();
    if (this.#token.kind !== "end") throw this.#unexpected();
    return `"use strict";\n${body}return [];`;
  }

  // Statements.

  #block(): string {
    this.#scopes.unshift(new Map());
    let code = "";
    while (!this.#endsBlock()) code += this.#statement();
    this.#scopes.shift();
    return code;
  }

  #endsBlock(): boolean {
    const { kind, text } = this.#token;
    return kind === "end" || (kind === "keyword" && ["end", "else", "elseif", "until"].includes(text));
  }

  #statement(): string {
    if (this.#takes(";")) return "";
    if (this.#takes("if")) return this.#if();
    if (this.#takes("while")) {
      const condition = this.#condition();
      this.#expect("do");
      return `while (${condition}) {\n${this.#blockToEnd()}}\n`;
    }
    if (this.#takes("do")) return `{\n${this.#blockToEnd()}}\n`;
    if (this.#takes("repeat")) {
      const body = this.#block();
      this.#expect("until");
      return `do {\n${body}} while (!(${this.#condition()}));\n`;
    }
    if (this.#takes("for")) return this.#for();
    if (this.#takes("function")) {
      const name = this.#name();
      return `${this.#variable(name).assign?.(this.#function()) ?? ""};\n`;
    }
    if (this.#takes("local")) return this.#local();
    if (this.#takes("break")) return "break;\n";
    if (this.#takes("return")) {
      const values = this.#endsBlock() ? "[]" : this.#list();
      this.#takes(";");
      return `return ${values};\n`;
    }
    return this.#callOrAssignment();
  }

  #if(): string {
    let code = `if (${this.#condition()}) {\n`;
    this.#expect("then");
    code += this.#block();
    for (;;) {
      if (this.#takes("elseif")) {
        code += `} else if (${this.#condition()}) {\n`;
        this.#expect("then");
        code += this.#block();
      } else if (this.#takes("else")) code += `} else {\n${this.#block()}`;
      else {
        this.#expect("end");
        return `${code}}\n`;
      }
    }
  }

  #for(): string {
    const names = [this.#name()];
    if (this.#takes("=")) {
      const [first, last, step] = [
        this.#number(),
        this.#takes(",") && this.#number(),
        this.#takes(",") && this.#number(),
      ];
      this.#expect("do");
      const [counter, limit, by] = [this.#newName("at"), this.#newName("limit"), this.#newName("by")];
      const body = this.#loopBody(names, `[${counter}]`);
      return `for (let ${counter} = ${first}, ${limit} = ${last || "0"}, ${by} = ${step || "1"}; ${by} > 0 ? ${counter} <= ${limit} : ${counter} >= ${limit}; ${counter} += ${by}) {\n${body}}\n`;
    }
    while (this.#takes(",")) names.push(this.#name());
    this.#expect("in");
    const iterated = this.#list();
    this.#expect("do");
    const found = this.#newName("found");
    return `for (const ${found} of $.iterate(${iterated})) {\n${this.#loopBody(names, found)}}\n`;
  }

  #loopBody(names: readonly string[], values: string): string {
    this.#scopes.unshift(new Map());
    const locals = names.map((name) => this.#declare(name));
    const body = this.#blockToEnd();
    this.#scopes.shift();
    return `let [${locals.join(", ")}] = ${values};\n${body}`;
  }

  #local(): string {
    if (this.#takes("function")) {
      const local = this.#declare(this.#name());
      return `let ${local} = ${this.#function()};\n`;
    }
    const names = [this.#name()];
    while (this.#takes(",")) names.push(this.#name());
    // Before they are declared: they are not visible in their own values.
    const values = this.#takes("=") ? this.#expressions() : [];
    const [only] = values;
    if (names.length === 1 && values.length <= 1) {
      const value = only === undefined ? "undefined" : single(only);
      return `let ${this.#declare(names[0] ?? "")} = ${value};\n`;
    }
    return `let [${names.map((name) => this.#declare(name)).join(", ")}] = ${listOf(values)};\n`;
  }

  #callOrAssignment(): string {
    const first = this.#suffixed();
    if (first.many) return `${first.code};\n`;
    const targets = [first];
    while (this.#takes(",")) targets.push(this.#suffixed());
    this.#expect("=");
    const values = this.#expressions();
    const [only] = values;
    if (targets.length === 1 && only !== undefined) return `${assigned(first, single(only))};\n`;
    const all = this.#newName("values");
    const assignments = targets.map((target, index) => assigned(target, `${all}[${index}]`));
    return `{ const ${all} = ${listOf(values)}; ${assignments.join("; ")}; }\n`;
  }

  #blockToEnd(): string {
    const body = this.#block();
    this.#expect("end");
    return body;
  }

  // Expressions.

  #condition(): string {
    return `$.isTrue(${single(this.#expression(0))})`;
  }

  #number(): string {
    return `$.number(${single(this.#expression(0))})`;
  }

  #list(): string {
    return listOf(this.#expressions());
  }

  #expressions(): Expression[] {
    const all = [this.#expression(0)];
    while (this.#takes(",")) all.push(this.#expression(0));
    return all;
  }

  #expression(least: number): Expression {
    let left = this.#operand();
    for (;;) {
      const { kind, text } = this.#token;
      const binding = kind === "symbol" || kind === "keyword" ? BINARY[text] : undefined;
      if (binding === undefined || binding.left < least) return left;
      this.#at += 1;
      const right = single(this.#expression(binding.right));
      left = one(binary(text, single(left), right));
    }
  }

  #operand(): Expression {
    if (this.#takes("not")) return one(`!$.isTrue(${single(this.#expression(UNARY))})`);
    if (this.#takes("-")) return one(`(-$.number(${single(this.#expression(UNARY))}))`);
    if (this.#takes("#")) return one(`$.length(${single(this.#expression(UNARY))})`);
    const { kind, text } = this.#token;
    if (kind === "number" || kind === "string") {
      this.#at += 1;
      return one(kind === "number" ? text : JSON.stringify(text));
    }
    if (this.#takes("nil")) return one("undefined");
    if (this.#takes("true")) return one("true");
    if (this.#takes("false")) return one("false");
    if (this.#takes("function")) return one(this.#function());
    if (this.#takes("{")) return one(this.#table());
    return this.#suffixed();
  }

  #suffixed(): Expression {
    let expression: Expression;
    if (this.#takes("(")) {
      expression = one(single(this.#expression(0)));
      this.#expect(")");
    } else expression = this.#variable(this.#name());
    for (;;) {
      const before = single(expression);
      if (this.#takes(".")) expression = indexed(before, JSON.stringify(this.#name()));
      else if (this.#takes("[")) {
        expression = indexed(before, single(this.#expression(0)));
        this.#expect("]");
      } else if (this.#takes("(")) {
        const args = this.#takes(")") ? "[]" : this.#list();
        if (args !== "[]") this.#expect(")");
        expression = { code: `$.call(${before}, ${args})`, many: true };
      } else return expression;
    }
  }

  #variable(name: string): Expression {
    const local = this.#scopes.find((scope) => scope.has(name))?.get(name);
    if (local === undefined) return one(`global(${JSON.stringify(name)})`);
    return { code: local, many: false, assign: (value) => `${local} = ${value}` };
  }

  #function(): string {
    this.#expect("(");
    this.#scopes.unshift(new Map());
    const parameters: string[] = [];
    while (!this.#takes(")")) {
      parameters.push(this.#declare(this.#name()));
      this.#takes(",");
    }
    const body = this.#blockToEnd();
    this.#scopes.shift();
    return `(${parameters.join(", ")}) => {\n${body}return [];\n}`;
  }

  #table(): string {
    const fields: string[] = [];
    const values: Expression[] = [];
    while (!this.#takes("}")) {
      const next = this.#tokens[this.#at + 1];
      if (this.#takes("[")) {
        const key = single(this.#expression(0));
        this.#expect("]");
        this.#expect("=");
        fields.push(`[${key}, ${single(this.#expression(0))}]`);
      } else if (this.#token.kind === "name" && next?.text === "=" && next.kind === "symbol") {
        const key = JSON.stringify(this.#name());
        this.#expect("=");
        fields.push(`[${key}, ${single(this.#expression(0))}]`);
      } else values.push(this.#expression(0));
      if (!this.#takes(",")) this.#takes(";");
    }
    return `$.table([${fields.join(", ")}], ${listOf(values)})`;
  }

  // Words.

  get #token(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #takes(text: string): boolean {
    const { kind, text: found } = this.#token;
    if ((kind !== "symbol" && kind !== "keyword") || found !== text) return false;
    this.#at += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#takes(text)) throw this.#unexpected(text);
  }

  #name(): string {
    const { kind, text } = this.#token;
    if (kind !== "name") throw this.#unexpected("a name");
    this.#at += 1;
    return text;
  }

  #declare(name: string): string {
    const local = this.#newName(name);
    this.#scopes[0]?.set(name, local);
    return local;
  }

  #newName(name: string): string {
    this.#names += 1;
    return `${name}_${this.#names}`;
  }

  #unexpected(wanted?: string): Error {
    const { line, text } = this.#token;
    return new Error(`Lua: line ${line}: "${text}"${wanted === undefined ? "" : ` instead of ${wanted}`}`);
  }
}

function one(code: string): Expression {
  return { code, many: false };
}

function indexed(table: string, key: string): Expression {
  return {
    code: `$.get(${table}, ${key})`,
    many: false,
    assign: (value) => `$.set(${table}, ${key}, ${value})`,
  };
}

function assigned({ code, assign }: Expression, value: string): string {
  if (assign === undefined) throw new Error(`Lua: nothing can be assigned to ${code}`);
  return assign(value);
}

function single({ code, many }: Expression): string {
  return many ? `$.first(${code})` : code;
}

/** All values of expressions: of the last one all that it gives. */
function listOf(expressions: readonly Expression[]): string {
  const last = expressions.at(-1);
  if (last?.many !== true) return `[${expressions.map(single).join(", ")}]`;
  if (expressions.length === 1) return last.code;
  return `[${expressions.slice(0, -1).map(single).join(", ")}, ...${last.code}]`;
}

function binary(operator: string, left: string, right: string): string {
  switch (operator) {
    case "and":
      return `$.and(${left}, () => ${right})`;
    case "or":
      return `$.or(${left}, () => ${right})`;
    case "==":
      return `(${left} === ${right})`;
    case "~=":
      return `(${left} !== ${right})`;
    case "<":
      return `$.less(${left}, ${right})`;
    case ">":
      return `$.less(${right}, ${left})`;
    case "<=":
      return `$.lessOrEqual(${left}, ${right})`;
    case ">=":
      return `$.lessOrEqual(${right}, ${left})`;
    case "..":
      return `$.concat(${left}, ${right})`;
    case "%":
      return `$.modulo($.number(${left}), $.number(${right}))`;
    default:
      return `($.number(${left}) ${operator} $.number(${right}))`;
  }
}
