/** What a process dies of that no event has killed. */
export const KILLED = "kill -9";
