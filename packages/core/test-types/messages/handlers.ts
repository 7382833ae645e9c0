import { app, event } from "./events.ts";

// says: Type '"email.send"' is not assignable to type '"
// says: Did you mean '"email.sent"'?
app.onEvent("user.*", { useCase: "1" }, async () => [{ name: "email.send", payload: { to: "a" } }]);

// says: Type 'number' is not assignable to type 'string'
app.onEvent("user.*", { useCase: "2" }, async () => [{ name: "email.sent", payload: { to: 1 } }]);

// says: Type 'number' is not assignable to type 'string'
app.onEvent("user.*", { useCase: "3" }, () => ({ name: "email.sent", payload: { to: 1 } }));

// says: Property 'payload' is missing in type '{ name: "email.sent"; }' but required in type 'OutputEvent<"email.sent", { to: string; }>'
app.onEvent("user.*", { useCase: "4" }, () => ({ name: "email.sent" }));

// says: Type 'number' is not assignable to type 'HandlerResult<
app.onEvent("user.*", { useCase: "5" }, async () => 1);

// says: Type 'number' is not assignable to type 'string'
app.onEvent("user.*", { useCase: "6" }, async () => [event("email.sent", { to: 1 })]);

// says: Property 'surname' is missing in type '{ name: string; }' but required in type '{ surname: string; }'
app.onEvent("user.created", { useCase: "7" }, (user: { surname: string }) => void user);

// says: 'retry' does not exist in type 'OnEventOptions<undefined>'
app.onEvent("user.created", { useCase: "8", retry: 3 }, () => {});
