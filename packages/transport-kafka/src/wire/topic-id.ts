/**
 * An offset means nothing without its topic, which may have been deleted and made anew. So a commit's metadata ends with the
 * topic's id, where older versions stop reading:
 *
 *     metadata = rest / (rest / "1") ",#" id     ; in base 36
 */
export function withTopicId(metadata: string, id: number | undefined): string {
  return id === undefined ? metadata : `${metadata === "" ? "1" : metadata},#${id.toString(36)}`;
}

/** Whether a commit was made for another topic than the one that has this id now. */
export function isOfOtherTopic(metadata: string, id: number | undefined): boolean {
  const [, then] = /^1(?:,.*)?,#([0-9a-z]+)$/.exec(metadata) ?? [];
  return then !== undefined && id !== undefined && Number.parseInt(then, 36) !== id;
}
