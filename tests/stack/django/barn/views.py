from django.db import connection
from django.http import HttpResponse


def index(request):
    with connection.cursor() as cursor:
        cursor.execute('select count(*) from owls')
        return HttpResponse('owls: %s\n' % cursor.fetchone()[0])
