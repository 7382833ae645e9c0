/** A customer as events carry one: 330 bytes of JSON. Made anew for each event, as publishers do. */
export function makePayload(index: number): object {
  return {
    id: 123_456 + (index % 1_000),
    name: "carlos perez",
    email: "carlos@example.com",
    address: { street: "Calle Mayor 1", city: "Madrid", zip: "28001" },
    tags: ["a", "b", "c", "new-customer"],
    amount: 1234.56,
    active: true,
    note: "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore magna aliqua",
  };
}
