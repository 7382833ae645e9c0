import { z } from "zod";
import { triage } from "./triage-events.ts";

const IssueDelivery = z.object({
  issue: z.object({
    number: z.number().int(),
    title: z.string(),
    state: z.string().optional(),
    // GitHub leaves the labels out when an issue is pinned.
    labels: z.array(z.object({ name: z.string() })).default([]),
    assignees: z.array(z.object({ login: z.string() })),
  }),
  repository: z.object({ full_name: z.string() }),
});

/** Looks at every issue, and returns what is to be done: the returned events are published when it has succeeded. */
export const triageIssues = triage.useCase(
  "triage_issues",
  { on: "github.issues.*", schema: IssueDelivery },
  ({ issue, repository }) => {
    const about = { repository: repository.full_name, issue: issue.number };
    const labels = issue.labels.map(({ name }) => name);
    const isDocumentation = issue.state === "open" && issue.title.includes("README");
    return [
      ...(isDocumentation && !labels.includes("documentation")
        ? [triage.event("triage.labelled", { ...about, label: "documentation" })]
        : []),
      ...(issue.assignees.length === 0 ? [triage.event("triage.assigned", { ...about, assignee: "octocat" })] : []),
    ];
  },
);
