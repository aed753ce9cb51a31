from django.urls import path

from benchmarks.bare.views import RowsView, RowView
from config.urls import urlpatterns as celeriacs

urlpatterns = [
    path("api/v1/bare", RowsView.as_view()),
    path("api/v1/bare/<str:row_id>", RowView.as_view()),
    *celeriacs,
]
