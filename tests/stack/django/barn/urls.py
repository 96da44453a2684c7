from django.urls import path

from barn.views import index

urlpatterns = [path('', index)]
