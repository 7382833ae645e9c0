import { app, event } from "./events.ts";

// The compilers list the names in different orders.
// says: Argument of type '"email.send"' is not assignable to parameter of type '"
// says: "user.deleted"
app.newEvent("email.send", { to: "a" });

// says: 'id' does not exist in type '{ to: string; }'
app.newEvent("email.sent", { id: "a" });

// says: Type 'number' is not assignable to type 'string'
app.newEvents([{ name: "email.sent", payload: { to: 1 } }]);

// says: Did you mean '"email.sent"'?
app.newEvents([{ name: "email.send", payload: { to: "a" } }]);

// says: Type 'string' is not assignable to type 'undefined'
app.newEvent("email.sent", { to: "a" }, { delay: "10s" });

// says: 'id' does not exist in type '{ to: string; }'
event("email.sent", { id: "a" });
