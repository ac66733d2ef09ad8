// Message templates: `{field}` is replaced by the finding's data. Cold path.

/**
 * Fills a template. Fields come from `data`; `{n|singular|plural}` chooses by the number in field `n`. Unknown fields
 * stay visible, so that a wrong template is seen in its test.
 */
export function fill(template: string, data: Readonly<Record<string, unknown>>): string {
  return template.replace(
    /\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/g,
    (whole, field: string, one?: string, many?: string) => {
      const value = data[field]
      if (value === undefined || value === null) return whole
      if (one !== undefined && many !== undefined) return Number(value) === 1 ? one : many
      return Array.isArray(value) ? value.join(', ') : String(value)
    },
  )
}
