/** What the quick start prints; in memory in this order. */
export const QUICK_START_LINES = [
  "Welcome, carlos!",
  "user.created: carlos is 21",
  'email.sent: {"destination":"hola@test.com","body":"bienvenido"}',
];
