package intake

import (
	"strings"
	"unicode"
)

// synonym is a field and the headers by which it is recognised, the best first, as plain writes them.
type synonym struct {
	field Field
	words string
}

// synonyms are the headers of English and Hindi lists and of the exports of HubSpot, Zoho CRM, Salesforce, Google Contacts (of
// before 2024 and since) and Outlook. Fields that come first take their column first.
func synonyms() []synonym {
	return []synonym{
		{FieldFirst, "firstname,givenname,fname,forename,contactfirstname,पहला नाम,प्रथम नाम"},
		{FieldLast, "lastname,familyname,surname,lname,contactlastname,उपनाम,अंतिम नाम,कुलनाम"},
		{FieldMiddle, "middlename,additionalname,मध्य नाम"},
		{FieldName, "fullname,name,contactname,customername,clientname,leadname,personname,displayname,fileas,contact,customer,client,lead,prospect,पूरा नाम,नाम,ग्राहक का नाम,ग्राहक,संपर्क,संपर्क नाम"},
		{FieldCompany, "companyname,company,organizationname,organization1name,organisation,organization,organisationname,accountname,account,associatedcompany,firm,firmname,business,businessname,employer,कंपनी,कंपनी का नाम,संस्था,फर्म"},
		{FieldTitle, "jobtitle,organizationtitle,organization1title,designation,position,role,title,पद,पदनाम"},
		{FieldNumber, "mobilephonenumber,mobilephone,mobile,mobileno,mobilenumber,mobilenum,cell,cellphone,cellnumber,phonenumber,phone,phoneno,phonenum,primaryphone,primaryno,primarynumber,contactnumber,contactno,number,telephone,telephonenumber,tel,whatsapp,whatsappnumber,whatsappno,businessphone,businessphone2,officephone,workphone,companymainphone,homephone,homephone2,otherphone,asstphone,assistantsphone,alternatenumber,alternateno,alternatephone,alternatemobile,alternatemobileno,altphone,altnumber,secondarynumber,secondaryphone,secondaryno,secondarymobile,number2,number3,phone2,phone3,mobile2,phone1value,phone2value,phone3value,phone4value,phone5value,phone6value,मोबाइल,मोबाइल नंबर,मोबाइल नं,फोन,फ़ोन,फोन नंबर,फ़ोन नंबर,नंबर,दूरभाष,संपर्क नंबर,वैकल्पिक नंबर,दूसरा नंबर"},
		{FieldCode, "countrycode,dialcode,isdcode,countrydialcode,देश कोड"},
		{FieldEmail, "emailaddress,email,emailid,mail,mailid,primaryemail,workemail,personalemail,secondaryemail,alternateemail,otheremail,email2,email3,email2address,email3address,email1value,email2value,email3value,email4value,email5value,ईमेल,ई-मेल,ईमेल पता,ई मेल"},
		{FieldStreet, "streetaddress,street,address,address1street,mailingstreet,businessstreet,address1,address2,addressline1,addressline2,businessstreet2,postaladdress,पता,गली,डाक पता"},
		{FieldCity, "city,town,address1city,mailingcity,businesscity,location,शहर,नगर,जिला"},
		{FieldState, "stateregion,stateprovince,state,province,region,address1region,mailingstateprovince,mailingstate,businessstate,राज्य,प्रदेश"},
		{FieldPostcode, "postalcode,zippostalcode,zipcode,zip,pincode,pin,postcode,address1postalcode,mailingzippostalcode,mailingzip,businesspostalcode,पिन कोड,पिनकोड,पिन,डाक कोड"},
		{FieldCountry, "countryregion,country,address1country,mailingcountry,businesscountryregion,businesscountry,देश"},
		{FieldLanguage, "language,preferredlanguage,भाषा"},
		{FieldTags, "tags,tag,labels,label,categories,category,groupmembership,टैग,लेबल,श्रेणी"},
		{FieldNote, "notes,note,remarks,remark,description,comments,comment,message,requirement,requirements,टिप्पणी,नोट,विवरण,रिमार्क"},
		{FieldOwner, "contactowner,leadowner,recordowner,owner,assignedto,salesperson,salesexecutive,agent,leadowneralias,स्वामी,एजेंट,प्रभारी"},
		{FieldValue, "dealvalue,value,amount,leadvalue,expectedvalue,expectedrevenue,budget,dealamount,मूल्य,राशि,बजट"},
		{FieldCurrency, "currency,currencycode,मुद्रा"},
		{FieldSource, "leadsource,originalsource,source,campaign,campaignname,utmsource,स्रोत"},
		{FieldSourceDay, "leaddate,enquirydate,inquirydate,sourcedate,createdate,createddate,createdtime,createdat,createdon,date,तारीख,दिनांक,पूछताछ की तारीख"},
		{FieldStage, "leadstatus,stage,leadstage,status,dealstage,स्थिति,चरण"},
		{FieldDue, "followupdate,nextfollowup,nextfollowupdate,due,duedate,callbackdate,nextcall,अगली तारीख"},
		{FieldPhoto, "photo,photourl,picture,avatar,फोटो"},
	}
}

// plain is a header without case, blanks, marks and what stands in brackets: "Phone 1 - Value" is "phone1value".
func plain(h string) string {
	for _, pair := range [...]string{"()", "[]"} {
		if from := strings.IndexByte(h, pair[0]); from > 0 {
			if to := strings.IndexByte(h[from:], pair[1]); to > 0 {
				h = h[:from] + h[from+to+1:]
			}
		}
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, h)
}

// labelOf is what a number or an address is for, as its header says.
func labelOf(header string) string {
	h := plain(header)
	for _, l := range [...]struct{ label, words string }{
		{"mobile", "mobile,cell,whatsapp,मोबाइल"}, {"fax", "fax"}, {"home", "home,personal"}, {"work", "business,office,work,company"}, {"other", "other,alternate,secondary,वैकल्पिक"},
	} {
		for w := range strings.SplitSeq(l.words, ",") {
			if strings.Contains(h, plain(w)) {
				return l.label
			}
		}
	}
	return ""
}

// labelHeaders are the headers of the column that says what the numbers of another one are for, as Google Contacts has it:
// "Phone 1 - Label" (or Type) beside "Phone 1 - Value". "" for other columns.
func labelHeaders(header string) []string {
	if base, ok := strings.CutSuffix(plain(header), "value"); ok {
		return []string{base + "label", base + "type"}
	}
	return nil
}
