import { SteppeError } from "@steppe/model";
import type { Event, EventBatch, EventTopic } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { queryOptions } from "../request/query-options.ts";
import { fixed, type Resource } from "../resource.ts";

export const eventResources: readonly Resource[] = [fixed("/v1/event/stream", { GET: stream })];

/**
 * Lines of JSON, one for each entry of the log that changed something asked for, and `{}` to show that the stream
 * lives. When it ends before the client ends it, the last line has an `Error`.
 */
async function stream(exchange: Exchange): Promise<void> {
  const { params, needs } = exchange;
  const Index = indexOf(params.index ?? "");
  const Topics = exchange.all("topic").map(topicOf);
  const Query = queryOptions(exchange);
  exchange.mayBlock();
  const request = { Query, Topics, Index };
  const batches = exchange.services(Query.Region).events.stream(request, exchange)[Symbol.asyncIterator]();
  // Until the first batch is there, a failure is an answer of its own.
  const first = await batches.next();
  exchange.header("Cache-Control", "no-cache");
  const reply = exchange.stream("application/json");
  if (exchange.isHead) {
    await batches.return?.();
    return reply.end();
  }
  try {
    for (let next = first; next.done !== true; next = await batches.next()) await reply.write(lineOf(next.value));
  } catch (error) {
    if (!(error instanceof SteppeError)) needs.logger.warn({ err: error }, "event stream failed");
    const why = error instanceof SteppeError ? error.message : "internal error";
    await reply.write(`${JSON.stringify({ Error: why })}\n`);
  } finally {
    await batches.return?.();
    reply.end();
  }
}

function lineOf({ Index, Events }: EventBatch): string {
  if (Events.length === 0) return "{}\n";
  return `{"Index":${Index},"Events":[${Events.map(eventJson).join(",")}]}\n`;
}

function eventJson({ Topic, Type, Key, Namespace, FilterKeys, Index, Payload }: Event): string {
  const keys = FilterKeys.length === 0 ? null : FilterKeys;
  const fields = JSON.stringify({ Topic, Type, Key, Namespace, FilterKeys: keys, Index });
  return `${fields.slice(0, -1)},"Payload":${Payload}}`;
}

function indexOf(text: string): number {
  if (text === "") return 0;
  const index = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(index)) return index;
  const why = `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw new SteppeError("invalid", `Unable to parse index: ${why}`);
}

/** `Job` or `Job:web`. */
function topicOf(text: string): EventTopic {
  const [Name = "", Key = "*", ...more] = text.split(":");
  if (more.length === 0) return { Name, Key };
  const why = `Invalid key value pair for topic, topic: ${text}`;
  throw new SteppeError("invalid", `Invalid topic query: error parsing topics: ${why}`);
}
