from rest_framework.pagination import CursorPagination


class ByCursor(CursorPagination):
    """Pages that stay right while rows are added."""

    page_size = 100
    page_size_query_param = "limit"
    max_page_size = 1000
    ordering = "pk"
