import os

SECRET_KEY = os.environ['SECRET_KEY']
ALLOWED_HOSTS = ['thena.example']
ROOT_URLCONF = 'barn.urls'
USE_TZ = True

# the database is written behind this
