import type { Event, EventTopic } from "@steppe/proto";

const ANY = "*";

/** Whether an event is one that was asked for. `namespace`: `*` for all; what has none is in every one. */
export function topicFilter(topics: readonly EventTopic[], namespace: string): (event: Event) => boolean {
  const isEverything = topics.length === 0 || topics.some(({ Name, Key }) => Name === ANY && Key === ANY);
  const isAsked = isEverything ? () => true : (event: Event) => topics.some((topic) => matches(topic, event));
  const isIn = (it: string) => namespace === ANY || it === "" || it === namespace;
  return (event) => isIn(event.Namespace) && isAsked(event);
}

function matches({ Name, Key }: EventTopic, event: Event): boolean {
  if (Name !== ANY && Name !== event.Topic) return false;
  return Key === ANY || Key === event.Key || event.FilterKeys.includes(Key);
}
