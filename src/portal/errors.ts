/** A request that the portal refuses, with the HTTP status that says so. Its message is meant for the caller. */
export abstract class PortalError extends Error {
  abstract readonly status: 400 | 401 | 403 | 404 | 409

  constructor(
    /** Stable, for programs: 'email-taken'. */
    readonly code: string,
    message: string,
    /** Where input is at fault: what is wrong with each field, by its path. */
    readonly fields?: Readonly<Record<string, string>>,
  ) {
    super(message)
    this.name = new.target.name
  }
}

/** The input is not acceptable; `fields` says where. */
export class ValidationError extends PortalError {
  readonly status = 400

  constructor(fields: Readonly<Record<string, string>>) {
    super('invalid-input', 'The request is not valid: see fields.', fields)
  }
}

/** Nobody is logged in, or not with these credentials. */
export class UnauthenticatedError extends PortalError {
  readonly status = 401
}

/** The user is known, and may not do this. */
export class ForbiddenError extends PortalError {
  readonly status = 403
}

/** There is no such thing in this portal. What belongs to another portal or another student is not there either. */
export class NotFoundError extends PortalError {
  readonly status = 404

  constructor(what: string) {
    super('not-found', `There is no such ${what}.`)
  }
}

/** The state of things does not allow it: too late, taken, full, done already. */
export class ConflictError extends PortalError {
  readonly status = 409
}
