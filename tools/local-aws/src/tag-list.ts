/** Tags as most APIs take and give them. */
export type TagList = readonly { readonly Key: string; readonly Value: string }[];

export function parseTagList(tags: TagList = []): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

export function buildTagList(tags: Readonly<Record<string, string>>): TagList {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
