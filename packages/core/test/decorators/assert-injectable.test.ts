import { isPapaError, PapaApp, useCase } from "@papa-events/core";
import { EventContext, handledBy, onEvent } from "@papa-events/core/decorators";
import { memory } from "@papa-events/transport-memory";
import { container as globalContainer, inject, injectable, singleton } from "tsyringe";
import { describe, expect, test } from "vitest";
import { silent, started } from "./support.ts";

class Mailer {
  readonly sent: unknown[] = [];
}

/** As tsx and esbuild compile it: decorators are called, and no types are written down. */
function withoutTypes(...tokens: unknown[]): new (mailer: Mailer) => { handle(user: unknown): void } {
  class SendWelcome {
    readonly #mailer: Mailer;

    constructor(mailer: Mailer) {
      this.#mailer = mailer;
    }

    handle(user: unknown): void {
      this.#mailer.sent.push(user);
    }
  }
  tokens.forEach((token, index) => {
    inject(token as never)(SendWelcome, undefined, index);
  });
  const method = Object.getOwnPropertyDescriptor(SendWelcome.prototype, "handle") as PropertyDescriptor;
  onEvent("user.created", { useCase: "send_welcome" })(SendWelcome.prototype, "handle", method);
  injectable()(SendWelcome);
  return SendWelcome;
}

/** What `start()` rejects with. */
async function refusal(type: abstract new (...args: never) => unknown): Promise<unknown> {
  const app = new PapaApp({
    transport: memory(),
    container: globalContainer.createChildContainer(),
    logger: silent,
  });
  app.register(type);
  return app.start().then(
    () => "started",
    (error: unknown) => error,
  );
}

describe("a class whose dependencies cannot be found is refused at the start, not by dead letters", () => {
  test("where the compiler wrote no types down: it names the class, the parameter and what to set", async () => {
    const error = await refusal(withoutTypes());
    expect(error).toMatchObject({
      code: "invalid-option",
      details: { option: 'class "SendWelcome"', problem: expect.stringContaining("parameter 0 of its constructor") },
    });
    const { message } = error as Error;
    for (const word of ["@injectable()", "experimentalDecorators", "emitDecoratorMetadata", "@inject(Token)"])
      expect(message).toContain(word);
  });

  test("where it is not @injectable()", async () => {
    class NotInjectable {
      readonly mailer: Mailer;
      constructor(mailer: Mailer) {
        this.mailer = mailer;
      }
      @onEvent("user.created", { useCase: "send_welcome" })
      handle(): void {}
    }
    expect(await refusal(NotInjectable)).toMatchObject({ message: expect.stringContaining("parameter 0") });
  });

  test("where a parameter is of a type that is no class, which it names", async () => {
    @injectable()
    class Numbered {
      readonly count: number;
      constructor(_mailer: Mailer, count: number) {
        this.count = count;
      }
      @onEvent("user.created", { useCase: "send_welcome" })
      handle(): void {}
    }
    const { message } = (await refusal(Numbered)) as Error;
    expect(message).toMatch(/^class "Numbered": parameter 1 of its constructor is of type Number/);
  });

  test("where a parameter with a default is of such a type: the container asks for it all the same", async () => {
    @injectable()
    class Limited {
      readonly limit: number;
      constructor(_context: EventContext, limit = 3) {
        this.limit = limit;
      }
      @onEvent("user.created", { useCase: "send_welcome" })
      handle(): void {}
    }
    const { message } = (await refusal(Limited)) as Error;
    expect(message).toMatch(/^class "Limited": parameter 1 of its constructor is of type /);
  });

  test("where a class that is registered as a singleton is meant", async () => {
    const type = withoutTypes();
    singleton()(type as never);
    expect(await refusal(type)).toMatchObject({ code: "invalid-option" });
  });

  test("and UseCase.handle, the test of it, says the same", async () => {
    const type = withoutTypes();
    const sendWelcome = useCase("send_welcome", { on: "user.created" }, handledBy(type, "handle"));
    const error = await sendWelcome.handle({}).catch((thrown: unknown) => thrown);
    expect(isPapaError(error, "invalid-option")).toBe(true);
  });
});

describe("no class is refused that a container can make", () => {
  test("with @inject on each parameter no types are needed", async () => {
    const { app, clock, container } = await started((app, container) => {
      container.registerSingleton(Mailer);
      app.register(withoutTypes(Mailer));
    });
    await app.newEvent("user.created", { name: "carlos" });
    await clock.settled();
    expect(container.resolve(Mailer).sent).toEqual([{ name: "carlos" }]);
  });

  test("whatever the container makes in its place, registered after the class", async () => {
    const mailer = new Mailer();
    const type = withoutTypes();
    const { app, clock } = await started((app, container) => {
      app.register(type);
      container.register(type as never, { useFactory: () => new type(mailer) } as never);
    });
    await app.newEvent("user.created", { name: "carlos" });
    await clock.settled();
    expect(mailer.sent).toEqual([{ name: "carlos" }]);
  });

  test("a parameter of a built-in class that somebody has registered", async () => {
    const seen: unknown[] = [];
    @injectable()
    class Store {
      readonly server: string;
      constructor(server: string) {
        this.server = server;
      }
      @onEvent("user.created", { useCase: "log" })
      handle(): void {
        seen.push(this.server);
      }
    }
    const { app, clock } = await started((app, container) => {
      container.register(String, { useValue: "smtp" });
      app.register(Store);
    });
    await app.newEvent("user.created", {});
    await clock.settled();
    expect(seen).toEqual(["smtp"]);
  });
});
