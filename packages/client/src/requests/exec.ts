// A command beside a running task: its input from the caller, its output to them, as the API's JSON messages.
import type { ExecProcess } from "../drivers/driver.ts";
import type { CallContext } from "./request-server.ts";

interface InputMessage {
  readonly stdin?: { readonly data?: string; readonly close?: boolean };
  readonly tty_size?: { readonly height?: number; readonly width?: number };
}

export async function* execInTask(
  process: ExecProcess,
  { signal, input }: CallContext,
): AsyncGenerator<Uint8Array, void> {
  const queue: (Uint8Array | undefined)[] = [];
  let wake: () => void = () => undefined;
  const push = (message: object | undefined) => {
    queue.push(message === undefined ? undefined : Buffer.from(JSON.stringify(message)));
    wake();
  };
  const stop = () => process.kill();
  signal.addEventListener("abort", stop);
  process.output((stream, data) => push({ [stream]: data === undefined ? { close: true } : { data: base64(data) } }));
  process.exited.then(({ exitCode }) => {
    push({ exited: true, result: { exit_code: exitCode } });
    push(undefined);
  });
  // Input that cannot be read is the caller's fault: the command ends, and they see that.
  feed(process, input).catch(stop);
  // The command has begun: its input may come.
  yield new Uint8Array(0);
  try {
    for (;;) {
      while (queue.length > 0) {
        const next = queue.shift();
        if (next === undefined) return;
        yield next;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal.removeEventListener("abort", stop);
    process.kill();
  }
}

async function feed(process: ExecProcess, input: CallContext["input"]): Promise<void> {
  for await (const message of input.messages()) {
    const { stdin, tty_size: size } = JSON.parse(Buffer.from(message).toString("utf8")) as InputMessage;
    if (stdin?.data !== undefined && stdin.data !== "") process.write(Buffer.from(stdin.data, "base64"));
    if (stdin?.close === true) process.closeInput();
    if (size !== undefined) process.resize(size.height ?? 0, size.width ?? 0);
  }
}

function base64(data: Uint8Array): string {
  return Buffer.from(data).toString("base64");
}
