/** @file soon */
export function ModelsView() {
  return <p class="empty">soon</p>;
}
