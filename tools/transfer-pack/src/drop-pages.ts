import { run } from '@carryall/exec'

/** Takes the pages of a durable file out of the page cache, so that the next read is one of the medium (posix_fadvise DONTNEED). */
export async function dropPages(path: string, signal: AbortSignal): Promise<void> {
  await run('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none'], { package: 'coreutils', signal })
}
