package org.project_planton.pools;

/** Something could not be read or asked; the message is one line that says what to do next. */
public final class PoolsException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Says what is wrong.
   *
   * @param message one line for the user
   */
  public PoolsException(String message) {
    super(message);
  }

  /**
   * Says what is wrong, and what was the cause.
   *
   * @param message one line for the user
   * @param cause what the library said
   */
  public PoolsException(String message, Throwable cause) {
    super(message, cause);
  }
}
