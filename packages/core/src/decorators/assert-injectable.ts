import { invalidOption } from "../options/check-options.ts";
import type { Class } from "../use-cases/class-use-cases.ts";
import { registeredProvider } from "./delivery-container.ts";

/** What TypeScript writes for the type of a parameter that is no class. Nobody means a container to make one of these. */
const NOT_A_CLASS: ReadonlySet<unknown> = new Set([
  undefined,
  Object,
  String,
  Number,
  Boolean,
  BigInt,
  Symbol,
  Array,
  Function,
  Promise,
]);

/** Where `@inject` of tsyringe keeps its tokens, and TypeScript the types. */
const TOKENS = "injectionTokens";
const TYPES = "design:paramtypes";

/**
 * Checks that a container can find what the constructor of a class needs. Types are known at run time only where the
 * compiler writes them down, which the compilers that merely strip types do not; without this check every event would
 * fail and, after its retries, become a dead letter.
 *
 * @throws PapaError `invalid-option`
 */
export function assertInjectable(type: Class, container: object | undefined): void {
  const provider = registeredProvider(container, type);
  // Somebody else makes it, or something in its place.
  if (provider !== undefined && provider.useClass !== type) return;
  const types = (Reflect.getMetadata(TYPES, type) ?? []) as readonly unknown[];
  const tokens = (Reflect.getOwnMetadata(TOKENS, type) ?? {}) as Readonly<Record<number, unknown>>;
  // A parameter with a default is none to the language; where its type is written down, the container asks for it too.
  for (let index = 0; index < Math.max(type.length, types.length); index += 1) {
    const known = tokens[index] !== undefined || !NOT_A_CLASS.has(types[index]);
    if (known || isRegistered(container, types[index])) continue;
    throw invalidOption(`class "${type.name}"`, types.length === 0 ? noTypes(index) : noClass(index, types[index]));
  }
}

function isRegistered(container: object | undefined, token: unknown): boolean {
  return typeof token === "function" && registeredProvider(container, token) !== undefined;
}

function noTypes(index: number): string {
  return (
    `parameter ${index} of its constructor has neither @inject(Token) nor a type that is known at run time. ` +
    'Decorate the class with @injectable() and compile it with "experimentalDecorators" and "emitDecoratorMetadata"; ' +
    "tsx and esbuild write no types down, so there each parameter needs @inject(Token)"
  );
}

function noClass(index: number, type: unknown): string {
  const found = typeof type === "function" ? `of type ${type.name}` : "of a type that is not there yet";
  return (
    `parameter ${index} of its constructor is ${found}, and a container makes classes; ` +
    "give it @inject(Token), or import its class without `type` and in no circle"
  );
}
