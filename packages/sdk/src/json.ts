/** What is asked of JSON text before it is parsed. Parsing itself is the platform's. */

/** Whether lists and objects stand in each other more than `most` deep. Broken JSON may give either answer. */
export const deeperThan = (text: string, most: number): boolean => {
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case 0x22: // "
        for (index++; index < text.length && text.charCodeAt(index) !== 0x22; index++)
          if (text.charCodeAt(index) === 0x5c) index++ // \
        break
      case 0x5b: // [
      case 0x7b: // {
        depth++
        if (depth > most) return true
        break
      case 0x5d: // ]
      case 0x7d: // }
        depth--
        break
    }
  }
  return false
}
