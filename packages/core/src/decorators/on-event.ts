import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Patterns } from "../catalogue/matching.ts";
import type { Catalogue, NoCatalogue } from "../catalogue/types.ts";
import type { Handler, HandlerFor } from "../handler/handler.ts";
import { invalidOption } from "../options/check-options.ts";
import { defineUseCase, fromOnEvent, type UseCaseDefinition } from "../use-cases/definition.ts";
import type { OnEventOptions } from "../use-cases/use-case-options.ts";
import { declare } from "./declarations.ts";

/** What a standard decorator gets to know of a method that an instance has and others can call. */
interface HandlerMethodContext extends ClassMethodDecoratorContext {
  readonly static: false;
  readonly private: false;
}

/** What a legacy decorator gets to know of the class: of a static method it would be the class itself, which has a prototype. */
interface HandlerPrototype {
  readonly constructor: unknown;
  readonly prototype?: never;
}

/**
 * A decorator of methods that fit the handler `H`, under standard decorators (two arguments) and TypeScript's legacy
 * ones (three).
 */
export type HandlerDecorator<H extends Handler<never, never>> = <M extends H>(
  ...decorated:
    | [method: M, context: HandlerMethodContext]
    | [prototype: HandlerPrototype, name: string | symbol, descriptor: TypedPropertyDescriptor<M>]
) => void;

/**
 * Declares that a method handles events, under `app.register(TheClass)`. Each delivery gets an instance from a child
 * container of the app's `container`, in which {@link import("../context/event-context.ts").EventContext} can be
 * injected; after settlement what was made for the delivery is disposed of, if it has a `dispose()`. What is shared
 * should be a singleton: what `instanceCachingFactory` caches counts as made for the delivery that asked first.
 *
 * Where the container could not find what the constructor needs, `start()` rejects with `invalid-option`: the compiler wrote
 * no types down (`experimentalDecorators`, `emitDecoratorMetadata`), and the parameter has no `@inject(Token)`.
 *
 * A subclass inherits its parent's handlers. A method it overrides stays a handler; `@onEvent` on the override takes
 * the place of the parent's. Decorators that replace the method belong below `@onEvent`.
 *
 * @throws PapaError `invalid-use-case`, `invalid-pattern`, `invalid-option`
 * @example
 * @injectable()
 * class SendWelcome {
 *   constructor(private mailer: Mailer) {}
 *
 *   @onEvent("user.created", { useCase: "send_welcome", schema: User })
 *   async handle(user: z.output<typeof User>, ctx: EventContext) {
 *     await this.mailer.send(user.address);
 *   }
 * }
 */
export function onEvent<const P extends Patterns, S extends StandardSchemaV1 | undefined = undefined>(
  patterns: P,
  options: OnEventOptions<S>,
): HandlerDecorator<HandlerFor<NoCatalogue, P, S>> {
  return methodDecorator(patterns, options, undefined);
}

/** {@link onEvent} with a catalogue, unchecked by types. */
export function methodDecorator(
  patterns: Patterns,
  options: OnEventOptions,
  catalogue: Catalogue | NoCatalogue,
): (...decorated: readonly unknown[]) => void {
  const [name, useCaseOptions] = fromOnEvent("@onEvent", patterns, options);
  const definition = defineUseCase(name, useCaseOptions, notBound, catalogue);
  return (...decorated) => declare(methodOf(definition, decorated), definition);
}

/** In the place of the handler, which takes the class: {@link declare} gets the method, and not its class. */
const notBound: Handler = () => {};

/** @throws PapaError `invalid-option` */
function methodOf({ name: useCase }: UseCaseDefinition, decorated: readonly unknown[]): object {
  const misplaced = (problem: string) => invalidOption(`@onEvent of "${useCase}"`, problem);
  const place = isStandard(decorated) ? standardPlace(...decorated) : legacyPlace(decorated);
  const { name, method } = place;
  if (method === undefined) throw misplaced(`it belongs on a method, and ${name} is ${place.kind}`);
  if (place.static)
    throw misplaced(`${name} is static, and a handler is a method of the instance that the container makes`);
  if (place.private) throw misplaced(`${name} is private to its class, and the library cannot call it`);
  return method;
}

/** What a decorator stands on. */
interface Place {
  readonly name: string;
  /** What it is, unless a method. */
  readonly kind?: string;
  readonly method: object | undefined;
  readonly static: boolean;
  readonly private: boolean;
}

/** The context of a standard decorator, wherever it stands. */
interface StandardContext {
  readonly kind: string;
  readonly name: string | symbol | undefined;
  readonly static?: boolean;
  readonly private?: boolean;
}

function isStandard(decorated: readonly unknown[]): decorated is readonly [target: object, context: StandardContext] {
  return typeof decorated[1] === "object" && decorated[1] !== null;
}

function standardPlace(
  target: object,
  { kind, name, static: isStatic = false, private: isPrivate = false }: StandardContext,
): Place {
  return {
    name: kind === "class" ? "this" : quoted(name),
    kind: withArticle(kind),
    method: kind === "method" ? target : undefined,
    static: isStatic,
    private: isPrivate,
  };
}

function legacyPlace([target, key, descriptor]: readonly unknown[]): Place {
  const place = { static: typeof target === "function", private: false, method: undefined };
  if (typeof descriptor === "number") {
    return { ...place, name: "this", kind: `a parameter of ${key === undefined ? "the constructor" : quoted(key)}` };
  }
  if (key === undefined) return { ...place, name: "this", kind: "a class" };
  const { value, get, set } = Object(descriptor) as PropertyDescriptor;
  if (typeof value === "function") return { ...place, name: quoted(key), method: value };
  return { ...place, name: quoted(key), kind: withArticle((get ?? set) ? "accessor" : "field") };
}

function quoted(name: unknown): string {
  return `"${String(name)}"`;
}

function withArticle(kind: string): string {
  return `${kind === "accessor" ? "an" : "a"} ${kind}`;
}
