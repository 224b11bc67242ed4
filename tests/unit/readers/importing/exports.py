"""What the programs export, as their documentation and sources give the headers; the people are made up."""

MAILCHIMP = (
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,'
    "LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,{more}LEID,EUID,NOTES,TAGS\r\n"
)
ADA = (
    'ada@readers.example,Ada,Lovelace,2,"2021-05-03 10:00:00",,"2021-05-03 10:15:25",192.0.2.7,48.8,2.3,1,2,'
    'Europe/Paris,FR,IDF,"2024-01-02 03:04:05",{more}111,aaa,,"""VIP"",""Fair"""\r\n'
)
MAILCHIMP_SUBSCRIBED = MAILCHIMP.format(more="") + ADA.format(more="")
MAILCHIMP_UNSUBSCRIBED = MAILCHIMP.format(
    more="UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER,"
) + ADA.format(more='"2022-06-01 08:00:00","May news",77,NORMAL,"Too many",')
MAILCHIMP_CLEANED = MAILCHIMP.format(more="CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,") + ADA.format(
    more='"2022-06-01 08:00:00","May news",77,'
)
SUBSTACK = (
    "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
    "ada@readers.example,false,,other,false,2021-05-03T10:15:25.123Z,\n"
    "bob@readers.example,true,2027-07-01T00:00:00.000Z,yearly,false,2021-05-04T00:00:00.000Z,2022-01-01T00:00:00.000Z\n"
    "cleo@readers.example,false,,other,true,2021-05-05T00:00:00.000Z,\n"
)
GHOST = (
    "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\r\n"
    '645a,ada@readers.example,"Lovelace, Ada","Met at the fair,\nsecond line",'
    'true,false,,2021-05-03T10:15:25.000Z,,"vip,fair",\r\n'
    "645b,cleo@readers.example,Cleo,,false,false,,2021-05-05T00:00:00.000Z,,,\r\n"
)
BUTTONDOWN = (
    "id,email_address,creation_date,notes,metadata,tags,referrer_url,secondary_id,subscriber_type,source,"
    "utm_campaign,utm_medium,utm_source,unsubscription_date\n"
    'sub_1,ada@readers.example,2021-05-03T10:15:25.123456Z,,"{""a"": 1}","[""vip""]",,1,regular,organic,,,,\n'
    "sub_2,bob@readers.example,2021-05-04T00:00:00Z,,{},[],,2,unactivated,organic,,,,\n"
    "sub_3,cleo@readers.example,2021-05-05T00:00:00Z,,{},[],,3,unsubscribed,organic,,,,2022-06-01T08:00:00Z\n"
    "sub_4,dora@readers.example,2021-05-05T00:00:00Z,,{},[],,4,paused,organic,,,,\n"
    "sub_5,ed@readers.example,2021-05-05T00:00:00Z,,{},[],,5,spammy,organic,,,,\n"
)
LISTMONK = (
    "uuid,email,name,attributes,status,created_at,updated_at\n"
    'b1,ada@readers.example,Ada,"{""city"": ""Paris"", ""tags"": [1, 2]}",enabled,'
    "2021-05-03 10:15:25.123456 +0000 UTC,2024-01-01 00:00:00 +0000 UTC\n"
    "b2,cleo@readers.example,Cleo,{},disabled,2021-05-05 00:00:00 +0000 UTC,2024-01-01 00:00:00 +0000 UTC\n"
    "b3,ed@readers.example,Ed,{},blocklisted,2021-05-05 00:00:00 +0000 UTC,2024-01-01 00:00:00 +0000 UTC\n"
)
