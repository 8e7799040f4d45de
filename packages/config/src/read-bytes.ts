/**
 * Reads a file that somebody names: no further than a limit, whatever it says of its size, and without waiting where a signal
 * says so. Pipes are read as files are, so that a shell can put a program's output where a file belongs.
 */
import * as fs from "node:fs"
import { Socket } from "node:net"
import { promisify } from "node:util"

const { constants } = fs
const open = promisify(fs.open)
const stat = promisify(fs.fstat)
const read = promisify(fs.read)
const close = promisify(fs.close)

export interface ReadOptions {
  /** The most bytes. */
  readonly most: number
  readonly signal?: AbortSignal | undefined
}

/** A file has more in it than may be read. `code` is the one that systems have for it. */
class TooLarge extends Error {
  override readonly name = "TooLarge"
  readonly code = "EFBIG"
}

const CHUNK = 64 * 1024

/** The file's bytes. Rejects with the system's error, whose `code` says why; with `EFBIG` if there are more than `most`. */
export const readBytes = async (path: string, { most, signal }: ReadOptions): Promise<Buffer> => {
  // Opening a pipe that nobody writes to would hold the process, even at its end.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const info = await stat(file)
  if (info.isFIFO()) return await gather(piped(file, signal), most)
  try {
    if (info.isFile() && info.size > most) throw new TooLarge("The file is too large")
    return await gather(chunks(file, signal), most)
  } finally {
    await close(file)
  }
}

const gather = async (parts: AsyncIterable<Uint8Array>, most: number): Promise<Buffer> => {
  const found: Array<Uint8Array> = []
  let size = 0
  for await (const part of parts) {
    size += part.byteLength
    if (size > most) throw new TooLarge("The file is too large")
    found.push(part)
  }
  return Buffer.concat(found)
}

async function* chunks(file: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for (;;) {
    signal?.throwIfAborted()
    const { buffer, bytesRead } = await read(file, Buffer.alloc(CHUNK), 0, CHUNK, null)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

/** The socket owns the descriptor, and closes it. */
const piped = (file: number, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> =>
  new Socket({ fd: file, readable: true, writable: false, ...(signal === undefined ? {} : { signal }) })
