import { app, useCase } from "./events.ts";

// says: '"usr.*"' is not assignable to parameter of type '"no event of the catalogue matches the pattern 'usr.*'"'
app.onEvent("usr.*", { useCase: "1" }, (user, ctx) => ctx.logger.info("seen", user));

// The list's other patterns are right, and only the one that is not is told.
app.onEvent(
  [
    "user.*",
    // says: '"usr.created"' is not assignable to type '"no event of the catalogue matches the pattern 'usr.created'"'
    "usr.created",
    "email.sent",
  ],
  { useCase: "2" },
  () => {},
);

// says: '"several patterns go into a list, not into one string: 'user.created, user.deleted'"'
app.onEvent("user.created, user.deleted", { useCase: "3" }, () => {});

// says: '"usr.*"' is not assignable to type '"no event of the catalogue matches the pattern 'usr.*'"'
useCase("4", { on: "usr.*" }, () => {});

// says: '"usr.*"' is not assignable to type '"no event of the catalogue matches the pattern 'usr.*'"'
useCase("5", { on: ["user.*", "usr.*"] }, () => {});
