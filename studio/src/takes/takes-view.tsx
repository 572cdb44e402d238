/** @file soon */
export function TakesView() {
  return <p class="empty">soon</p>;
}
