import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeControls } from './escape-controls.ts'

const PAYLOADS: readonly (readonly [what: string, payload: string])[] = [
  ['NUL', '\u0000'],
  ['bell', '\u0007'],
  ['backspace that hides what is before it', 'rm -rf /\b\b\b\b\b\b\b\bls     '],
  ['vertical tab', '\u000b'],
  ['form feed', '\u000c'],
  ['carriage return that overwrites the line', 'error\rok   '],
  ['shift out', '\u000e'],
  ['cancel', '\u0018'],
  ['escape', '\u001b'],
  ['colour', '\u001b[31mred\u001b[0m'],
  ['clear the screen', '\u001b[2J\u001b[H'],
  ['cursor up, then erase', '\u001b[1A\u001b[2K'],
  ['title of the window', '\u001b]0;title\u0007'],
  ['hyperlink', '\u001b]8;;https://evil.example\u001b\\here\u001b]8;;\u001b\\'],
  ['write to the clipboard', '\u001b]52;c;cm0gLXJm\u0007'],
  ['report of the title', '\u001b[21t'],
  ['device control string', '\u001bP+q544e\u001b\\'],
  ['reset', '\u001bc'],
  ['alternate character set', '\u001b(0'],
  ['unit separator', '\u001f'],
  ['delete', '\u007f'],
  ['padding character', '\u0080'],
  ['next line', '\u0085'],
  ['8-bit device control string', '\u0090'],
  ['8-bit control sequence', '\u009b31m'],
  ['8-bit operating system command', '\u009d0;x\u009c'],
  ['application program command', '\u009f'],
  ['soft hyphen', 're\u00adgistry'],
  ['combining grapheme joiner', 'a\u034fb'],
  ['Arabic letter mark', '\u061c'],
  ['Hangul fillers', '\u115f\u1160\u3164\uffa0'],
  ['Mongolian vowel separator', '\u180e'],
  ['zero width space', 'exam\u200bple'],
  ['zero width non-joiner', '\u200c'],
  ['zero width joiner', '\u200d'],
  ['left-to-right mark', '\u200e'],
  ['right-to-left mark', '\u200f'],
  ['line separator', 'a\u2028b'],
  ['paragraph separator', 'a\u2029b'],
  ['left-to-right embedding', '\u202a'],
  ['right-to-left embedding', '\u202b'],
  ['pop', '\u202c'],
  ['left-to-right override', '\u202d'],
  ['right-to-left override of a file name', 'photo\u202egnp.exe'],
  ['word joiner', '\u2060'],
  ['invisible times', '\u2062'],
  ['left-to-right isolate', '\u2066'],
  ['right-to-left isolate', '\u2067'],
  ['first strong isolate', '\u2068'],
  ['pop isolate', '\u2069'],
  ['inhibit symmetric swapping', '\u206a'],
  ['blank Braille pattern', '\u2800'],
  ['lone high surrogate', '\ud800'],
  ['lone low surrogate', '\udfff'],
  ['surrogates the wrong way round', '\udc00\ud800'],
  ['byte order mark', '\ufeff'],
  ['interlinear annotation', '\ufff9a\ufffab\ufffb'],
  ['replacement character', '\ufffd'],
  ['variation selectors', '\ufe0f\u{e0100}'],
  ['tag characters', '\u{e0001}\u{e0041}\u{e007f}'],
  ['musical formatting', '\u{1d173}'],
]

// By code point, not by the classes that the code under test is made of.
const UNSAFE: readonly (readonly [from: number, to: number])[] = [
  [0x00, 0x08],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x2800, 0x2800],
  [0x3164, 0x3164],
  [0xd800, 0xdfff],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff9, 0xfffb],
  [0xfffd, 0xfffd],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe01ef],
]

function holdsUnsafe(text: string): boolean {
  return Array.from(text, (char) => char.codePointAt(0)!).some((point) =>
    UNSAFE.some(([from, to]) => from <= point && point <= to),
  )
}

test.each(PAYLOADS)('escapeControls() makes %s harmless', (_what, payload) => {
  expect(holdsUnsafe(payload)).toBe(true)
  const shown = escapeControls(payload)
  expect(holdsUnsafe(shown)).toBe(false)
  expect(shown).toMatch(/\\u\{[0-9a-f]+\}/)
})

test('there are enough payloads', () => {
  expect(PAYLOADS.length).toBeGreaterThanOrEqual(40)
})

test('escapeControls() shows what was there', () => {
  expect(escapeControls('a\u001b[0m\u{e0041}\ud800')).toBe('a\\u{1b}[0m\\u{e0041}\\u{d800}')
})

test.each([
  'plain text: registry.example:5000/team/app@sha256:abc',
  'two\nlines\tand a tab',
  'Ünïcödé, 日本語, עברית, العربية, emoji 🚢',
  'a combining e\u0301',
  'non-breaking\u00a0space',
])('escapeControls() leaves %j as it is', (text) => {
  expect(escapeControls(text)).toBe(text)
})

test('escapeControls() leaves nothing unsafe in any text, and nothing to do a second time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const shown = escapeControls(text)
      expect(holdsUnsafe(shown)).toBe(false)
      expect(escapeControls(shown)).toBe(shown)
    }),
    { numRuns: 2000 },
  )
})
